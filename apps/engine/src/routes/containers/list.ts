import { type Container, portFilter, portsOf, summarize } from "@longshore/containers";
import { InvalidArgument, isKind, messageOf } from "@longshore/errdefs";
import { parseInteger } from "@longshore/go-values";
import { filterInSlices } from "@longshore/patterns";
import { confined } from "../../access/route-access.ts";
import { visible, type VisibleContainers } from "../../access/visible.ts";
import type { Engine, RoutePlugin } from "../../engine.ts";
import { Filters } from "@longshore/list-filters";
import { Query } from "../../server/query/query.ts";
import { sendJson } from "../../server/answer/send.ts";
import { summaryFor } from "./container-versions.ts";

const keys = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
];
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
function orderTests(existing: VisibleContainers, all: readonly Container[], filters: Filters): Test[] {
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
async function ancestorTest({ containers }: Engine, filters: Filters): Promise<Test> {
  if (!filters.has("ancestor")) return () => true;
  const ids = new Set<string>();
  for (const name of filters.get("ancestor")) {
    try {
      ids.add((await containers.images.resolve(name)).id);
    } catch (error) {
      if (!isKind(error, "NotFound")) throw error;
    }
  }
  return ({ record }) => ids.has(record.Image);
}

export const listRoutes: RoutePlugin = (app, engine) => {
  app.get("/containers/json", confined, async (request, reply) => {
    const query = new Query(request);
    const filters = Filters.parse(query.get("filters"), keys);
    const limit = query.int("limit", 0);
    const existing = visible(request, engine.containers);
    const containers = existing.list();
    const tests = [
      ...identityTests(filters),
      ...stateTests(filters),
      ...connectionTests(filters),
      ...orderTests(existing, containers, filters),
      await ancestorTest(engine, filters),
    ];
    const all = query.bool("all") || limit > 0 || filters.has("status");
    let found = await filterInSlices(
      containers,
      (container) => (all || container.record.State.Running) && tests.every((test) => test(container)),
    );
    if (limit > 0) found = found.slice(0, limit);
    const shown = await summarize(engine.containers, found, query.bool("size"));
    sendJson(
      reply,
      200,
      shown.map((summary) => summaryFor(request, summary)),
    );
  });
};
