import type { ContainerSummary } from "@longshore/docker-api";
import { InvalidArgument, isKind, messageOf } from "@longshore/errdefs";
import { parseInteger } from "@longshore/go-values";
import type { Filters } from "@longshore/list-filters";
import { filterInSlices } from "@longshore/patterns";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import type { ContainerSet } from "../model/store.ts";
import { portsOf, summarize } from "../views/summary.ts";
import { portFilter } from "./port-filter.ts";

export interface ListQuery {
  filters: Filters;
  /** Those that do not run, too. */
  all: boolean;
  /** The newest so many, whether they run or not; 0 for all. */
  limit: number;
  /** With the bytes that they take. */
  size: boolean;
}

const statuses = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["none", "starting", "healthy", "unhealthy"];

type Test = (container: Container) => boolean;

function oneOf(filters: Filters, key: string, allowed: readonly string[], word: string): void {
  for (const value of filters.get(key)) {
    if (!allowed.includes(value))
      throw new InvalidArgument(
        `invalid filter '${key}=${value}': invalid value for ${word} (${value}): must be one of ${allowed.join(", ")}`,
      );
  }
}

function identityTests(filters: Filters): Test[] {
  return [
    ({ id }) => filters.match("id", id),
    ({ name }) => filters.match("name", name) || filters.match("name", `/${name}`),
    ({ record }) => filters.labels("label", record.Config.Labels),
    ({ hostConfig }) => filters.exact("isolation", hostConfig.Isolation),
    () => !filters.bool("is-task", false),
  ];
}

function stateTests(filters: Filters): Test[] {
  oneOf(filters, "status", statuses, "state");
  oneOf(filters, "health", healths, "health");
  const codes = filters.get("exited").map((code) => {
    try {
      return parseInteger(code, "Atoi");
    } catch (error) {
      throw new InvalidArgument(`invalid filter 'exited=${code}': ${messageOf(error)}`, { cause: error });
    }
  });
  return [
    (container) => filters.exact("status", container.status),
    ({ record }) => filters.exact("health", record.State.Health?.Status ?? "none"),
    ({ record }) =>
      codes.length === 0 ||
      (!record.State.Running && record.HasBeenStartedBefore && codes.includes(record.State.ExitCode)),
  ];
}

function connectionTests(filters: Filters): Test[] {
  const hasPort = portFilter(filters.get("publish"), filters.get("expose"));
  return [
    ({ record }) => hasPort === undefined || hasPort(portsOf(record.NetworkSettings.Ports)),
    ({ record }) =>
      !filters.has("network") ||
      Object.entries(record.NetworkSettings.Networks).some(
        ([name, { NetworkID }]) =>
          filters.exact("network", name) || (NetworkID !== "" && filters.prefix("network", NetworkID)),
      ),
    ({ record }) =>
      !filters.has("volume") ||
      Object.values(record.MountPoints).some(
        (mount) => filters.exact("volume", mount.Name || mount.Source) || filters.exact("volume", mount.Destination),
      ),
  ];
}

/**
 * `before` and `since` name containers; Docker answers 404 for one that does not exist.
 * @param all in the order of lists, the newest first
 */
function orderTests(existing: ContainerSet, all: readonly Container[], filters: Filters): Test[] {
  const places = new Map(all.map((container, place) => [container, place]));
  const placeOf = (key: string): number | undefined => {
    const [name] = filters.get(key);
    return name === undefined ? undefined : places.get(existing.get(name));
  };
  const before = placeOf("before");
  const since = placeOf("since");
  return [
    (container) =>
      (before === undefined || (places.get(container) ?? 0) > before) &&
      (since === undefined || (places.get(container) ?? 0) < since),
  ];
}

/** Images named by `ancestor`, and those built on them, by their layers' chain. */
async function ancestorTest(context: Context, filters: Filters): Promise<Test> {
  if (!filters.has("ancestor")) return () => true;
  const ids = new Set<string>();
  for (const name of filters.get("ancestor")) {
    try {
      ids.add((await context.images.resolve(name)).id);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
    }
  }
  return ({ record }) => ids.has(record.Image);
}

/** The containers of a set that the query asks for, the newest first. @throws InvalidArgument, NotFound, Unknown with Docker's messages */
export async function listContainers(
  context: Context,
  existing: ContainerSet,
  { filters, all, limit, size }: ListQuery,
): Promise<ContainerSummary[]> {
  const containers = existing.list();
  const tests = [
    ...identityTests(filters),
    ...stateTests(filters),
    ...connectionTests(filters),
    ...orderTests(existing, containers, filters),
    await ancestorTest(context, filters),
  ];
  const ended = all || limit > 0 || filters.has("status");
  let found = await filterInSlices(
    containers,
    (container) => (ended || container.record.State.Running) && tests.every((test) => test(container)),
  );
  if (limit > 0) found = found.slice(0, limit);
  return summarize(context, found, size);
}
