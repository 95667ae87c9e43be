import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import { parseWhole, struct, text as word, unmarshal } from "@longshore/go-json";
import type { ImageFilters } from "@longshore/images";
import type { Platform } from "@longshore/oci";
import type { FastifyRequest } from "fastify";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { parsePointInTime } from "../../server/query/time-parameter.ts";

/** What follows `/images/` (or another prefix), percent-decoded: names have slashes. */
export function wildcard(request: FastifyRequest): string {
  return (request.params as Record<string, string>)["*"] ?? "";
}

const platformShape = struct("v1.Platform", { architecture: word, os: word, variant: word });

/** An OCI platform in JSON; undefined when empty. @throws InvalidArgument */
export function parseJsonPlatform(text: string): Platform | undefined {
  if (text === "") return undefined;
  let parsed: unknown;
  try {
    parsed = unmarshal(platformShape, parseWhole(text));
  } catch (error) {
    throw new InvalidArgument(`failed to parse platform: ${messageOf(error)}`, { cause: error });
  }
  const { os, architecture, variant } = (parsed ?? {}) as Partial<Platform>;
  if (!os || !architecture) {
    throw new InvalidArgument("both OS and Architecture must be provided");
  }
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** The platform to save, load or show the history of. @throws InvalidArgument when several are named */
export function transferPlatform(request: FastifyRequest): Platform | undefined {
  if (!speaks(request, "imageTransferPlatform")) return undefined;
  const asked = new Query(request).all("platform");
  if (asked.length > 1) throw new InvalidArgument("multiple platform parameters not supported");
  return parseJsonPlatform(asked[0] ?? "");
}

/** Each of several must hold, so the earliest counts. */
function untilOf(filters: Filters): { until?: number } {
  const values = filters.get("until");
  if (values.length === 0) return {};
  try {
    return { until: Math.min(...values.map(parsePointInTime)) };
  } catch (error) {
    throw new Unknown(messageOf(error), { cause: error });
  }
}

/** The filters of an image list or prune. @throws InvalidArgument `invalid filter 'x'` */
export function parseImageFilters(parameter: string, accepted: readonly string[]): ImageFilters {
  const filters = Filters.parse(parameter, accepted);
  return {
    ...(filters.has("dangling") ? { dangling: filters.bool("dangling", false) } : {}),
    labels: filters.get("label"),
    notLabels: filters.get("label!"),
    references: filters.get("reference"),
    before: filters.get("before"),
    since: filters.get("since"),
    ...untilOf(filters),
  };
}
