import { type Container, parseTime, summarize } from "@longshore/containers";
import { InvalidArgument, isKind, Unknown } from "@longshore/errdefs";
import { filterInSlices } from "@longshore/patterns";
import { confinedGet } from "../access/route-access.ts";
import { visible, type VisibleContainers } from "../access/visible.ts";
import type { Engine, RoutePlugin } from "../engine.ts";
import { Filters } from "../server/filters.ts";
import { Query } from "../server/query.ts";
import { sendJson } from "../server/send.ts";
import { summaryFor } from "./container-versions.ts";

const keys = ["ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label", "name", "network", "publish", "since", "status", "volume"];
const statuses = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["none", "starting", "healthy", "unhealthy"];

type Test = (container: Container) => boolean;

function oneOf(filters: Filters, key: string, allowed: readonly string[], word: string): void {
  for (const value of filters.get(key)) {
    if (!allowed.includes(value)) throw new InvalidArgument(`invalid filter '${key}=${value}': invalid value for ${word} (${value}): must be one of ${allowed.join(", ")}`);
  }
}

/** `80`, `80-90`, `80/udp` against `80/tcp` forms. @throws Unknown (status 500, as Docker answers) */
function portTest(values: readonly string[], key: string): (port: string) => boolean {
  const ranges = values.map((value) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(.+))?$/.exec(value);
    if (match === null) {
      const wrong = value.split("/", 1)[0]?.split("-").find((part) => !/^\d+$/.test(part)) ?? "";
      throw new Unknown(`error while looking up for ${key} ${value}: strconv.ParseUint: parsing ${JSON.stringify(wrong)}: invalid syntax`);
    }
    return { from: Number(match[1]), to: Number(match[2] ?? match[1]), protocol: match[3] ?? "tcp" };
  });
  return (port) => {
    const [number = "0", protocol = "tcp"] = port.split("/", 2);
    return ranges.some((range) => range.protocol === protocol && Number(number) >= range.from && Number(number) <= range.to);
  };
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
    if (!/^-?\d+$/.test(code)) throw new InvalidArgument(`invalid filter 'exited=${code}': strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`);
    return Number(code);
  });
  return [
    (container) => filters.exact("status", container.status),
    ({ record }) => filters.exact("health", record.State.Health?.Status ?? "none"),
    ({ record }) => codes.length === 0 || (!record.State.Running && record.HasBeenStartedBefore && codes.includes(record.State.ExitCode)),
  ];
}

function connectionTests(filters: Filters): Test[] {
  const published = filters.has("publish") ? portTest(filters.get("publish"), "publish") : undefined;
  const exposed = filters.has("expose") ? portTest(filters.get("expose"), "expose") : undefined;
  return [
    ({ record }) => exposed === undefined || Object.keys(record.Config.ExposedPorts ?? {}).some(exposed),
    ({ record }) => published === undefined || Object.entries(record.NetworkSettings.Ports ?? {}).some(([port, bindings]) => (bindings?.length ?? 0) > 0 && published(port)),
    ({ record }) =>
      !filters.has("network") ||
      Object.entries(record.NetworkSettings.Networks).some(([name, { NetworkID }]) => filters.exact("network", name) || (NetworkID !== "" && filters.prefix("network", NetworkID))),
    ({ record }) =>
      !filters.has("volume") || Object.values(record.MountPoints).some((mount) => filters.exact("volume", mount.Name || mount.Source) || filters.exact("volume", mount.Destination)),
  ];
}

/** `before` and `since` name containers; Docker answers 404 for one that does not exist. */
function orderTests(existing: VisibleContainers, filters: Filters): Test[] {
  const reference = (key: string): string | undefined => {
    const [name] = filters.get(key);
    return name === undefined ? undefined : existing.get(name).record.Created;
  };
  const before = reference("before");
  const since = reference("since");
  return [({ record }) => (before === undefined || record.Created < before) && (since === undefined || record.Created > since)];
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
  app.get("/containers/json", confinedGet, async (request, reply) => {
    const query = new Query(request);
    const filters = Filters.parse(query.get("filters"), keys);
    const limit = query.int("limit", 0);
    const existing = visible(request, engine.containers);
    const tests = [...identityTests(filters), ...stateTests(filters), ...connectionTests(filters), ...orderTests(existing, filters), await ancestorTest(engine, filters)];
    const all = query.bool("all") || limit > 0 || filters.has("status") || filters.has("exited") || filters.has("before") || filters.has("since");
    let found = await filterInSlices(existing.list(), (container) => (all || container.record.State.Running) && tests.every((test) => test(container)));
    if (limit > 0) found = found.slice(0, limit);
    const created = new Map(found.map((container) => [container, parseTime(container.record.Created)]));
    found.sort((a, b) => (created.get(b) ?? 0) - (created.get(a) ?? 0));
    const shown = await summarize(engine.containers, found, query.bool("size"));
    sendJson(reply, 200, shown.map((summary) => summaryFor(request, summary)));
  });
};
