import { type Context, findExec } from "@longshore/containers";
import { NotFound } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { hasLabel } from "../server/filters.ts";

/** Lists that can be narrowed by a filter instead of being refused. */
const filtered = new Set(["/containers/json", "/containers/prune", "/events"]);

function narrow(parameter: string, labels: readonly string[], events: boolean): string {
  const given: unknown = parameter === "" ? {} : (JSON.parse(parameter) ?? {});
  // What is no object the route refuses, in Docker's words.
  if (typeof given !== "object" || Array.isArray(given)) return parameter;
  const filters = given as Record<string, unknown>;
  const label = filters["label"];
  const own = Array.isArray(label) ? label : Object.entries(label ?? {}).flatMap(([key, on]) => (on === true ? [key] : []));
  // Attributes of other objects are no labels of containers.
  return JSON.stringify({ ...filters, label: [...own, ...labels], ...(events ? { type: ["container"] } : {}) });
}

/** Narrows the `filters` of a list to containers with these labels. @throws SyntaxError when they are no JSON */
function narrowFilters(request: FastifyRequest, path: string, labels: readonly string[]): void {
  const url = request.raw.url ?? "";
  const mark = url.indexOf("?");
  const before = mark < 0 ? url : url.slice(0, mark);
  const parameters = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  parameters.set("filters", narrow(parameters.get("filters") ?? "", labels, path === "/events"));
  request.raw.url = `${before}?${parameters.toString()}`;
}

function carries(labels: Record<string, string> | null | undefined, wanted: readonly string[]): boolean {
  return wanted.every((label) => hasLabel(label, labels ?? {}));
}

/**
 * Confines a request to containers with these labels: all others do not exist for it.
 * @throws NotFound as for a container or exec that does not exist
 */
export function confine(containers: Context, request: FastifyRequest, path: string, labels: readonly string[]): void {
  if (filtered.has(path)) {
    try {
      narrowFilters(request, path, labels);
    } catch (error) {
      // A route never sees filters that could not be narrowed: it refuses what is no JSON itself.
      if (!(error instanceof SyntaxError)) throw error;
    }
    return;
  }
  const { name, id } = request.params as { name?: string; id?: string };
  if (name !== undefined && !carries(containers.store.get(name).record.Config.Labels, labels)) throw new NotFound(`No such container: ${name}`);
  if (id !== undefined && !carries(findExec(containers, id).container.record.Config.Labels, labels)) throw new NotFound(`No such exec instance: ${id}`);
}
