import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { fuzz, type Random } from "@longshore/fuzz";
import { silent } from "@longshore/logger";
import type { Plugins } from "@longshore/plugins";
import { listen, type Listener } from "../listeners/listen.ts";
import { createApp } from "../server/app.ts";
import { AuditLog } from "./audit/audit.ts";
import { authorize } from "./authorization.ts";
import { guard } from "./guard.ts";
import { type Policy, parseEndpointRule } from "./policy.ts";
import { bindPolicy } from "./socket-policy.ts";
import { addRecorders, type Ran } from "./testing/recorder.ts";

const methods = ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"] as const;
const words = [
  "containers",
  "exec",
  "images",
  "networks",
  "volumes",
  "create",
  "json",
  "wait",
  "prune",
  "attach",
  "ws",
  "start",
  "kill",
  "checkpoints",
  "connect",
  "auth",
  "push",
  "_ping",
  "version",
  "events",
  "web",
  "a:b@c",
  "x",
  ".",
  "..",
  "...",
  "",
  "v1.40",
  "v1.99",
  "v1",
  "é",
  "☃",
] as const;
const separators = [
  "/",
  "/",
  "/",
  "/",
  "/",
  "//",
  "%2F",
  "%2f",
  "#",
  "?",
  "%23",
  "%3F",
  ";",
  "\\",
  "%5C",
  "%0a",
  "%00",
  "%",
  "%25",
  "%252F",
  "&",
  "=",
  "+",
  "|",
  ":",
] as const;
const starts = [
  "/",
  "/",
  "/",
  "/",
  "/v1.43/",
  "/v1.43/",
  "/%761.43/",
  "http://host/",
  "HTTP://u:p@h:1/v1.30/",
  "x:/",
  "//",
  "*",
  "",
  "http://h",
  "/v1.43%2f",
] as const;

/** Bytes as Node's client writes them: one for each character. */
function bytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function spelled(random: Random, text: string): string {
  return bytes(text).replaceAll(/[^/?#]/g, (char) =>
    random.chance(0.04) || (char > "\x7e" && random.chance(0.5))
      ? `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`
      : char,
  );
}

/** Something near what the engine serves: a route's pattern with names filled in and things changed, or words at random. */
function randomTarget(random: Random, routes: readonly [string, ...string[]]): [method: string, target: string] {
  const [method = "GET", pattern = "/"] = random.pick(routes).split(" ");
  const word = (): string => random.pick(words);
  if (random.chance(0.3))
    return [
      random.pick(methods),
      spelled(
        random,
        random.pick(starts) +
          Array.from({ length: random.int(1, 6) }, () => word() + random.pick(separators)).join("") +
          word(),
      ),
    ];
  let path = pattern
    .slice(1)
    .replaceAll(/:\w+|\*/g, () => (random.chance(0.2) ? `${word()}${random.pick(separators)}${word()}` : word()));
  for (let changes = random.int(0, 2); changes > 0; changes--) {
    const at = random.int(0, path.length);
    path = `${path.slice(0, at)}${random.pick(separators)}${random.chance(0.5) ? word() : ""}${path.slice(at)}`;
  }
  return [
    random.chance(0.9) ? method : random.pick(methods),
    spelled(random, random.pick(starts) + path + (random.chance(0.2) ? "?all=1" : "")),
  ];
}

/** A second reading of targets, by other means: how Docker's patterns match what Go decodes. */
function oracle(routes: readonly string[], method: string, raw: string): Ran | undefined {
  const [, absolute, origin = raw] = /^([a-z]+:(?:\/\/[^/?#]*)?)(?=[/?]|$)(.*)$/is.exec(raw) ?? [];
  if (absolute === undefined && !raw.startsWith("/")) return undefined;
  const [encoded = ""] = origin.split("?", 1);
  if (
    encoded
      .split("%")
      .slice(1)
      .some((rest) => !/^[0-9a-f]{2}/i.test(rest))
  )
    return undefined;
  const decoded = Buffer.concat(
    encoded
      .split(/(%[0-9a-f]{2})/i)
      .map((part) => Buffer.from(part.startsWith("%") ? part.slice(1) : part, part.startsWith("%") ? "hex" : "latin1")),
  ).toString();
  if (posix.normalize(decoded || "/") !== decoded) return undefined;
  const [, version, path = decoded] = /^\/v([0-9.]+)(\/[^]*)$/.exec(decoded) ?? [];
  const [major = 1, minor = 51] = version?.split(".").map(Number) ?? [];
  if (major !== 1 || minor < 24 || minor > 51 || path.includes("\n")) return undefined;
  // A name may be any text below these; the more of a pattern is fixed, the earlier its turn.
  const fixed = (route: string): number =>
    route.split("/").filter((part) => !/^[:*]/.test(part)).length * 100 + route.split("/").length;
  const own = routes.map((each) => each.split(" ") as [string, string]).filter(([of]) => of === method);
  for (const [, route] of own.sort(([, a], [, b]) => fixed(b) - fixed(a))) {
    const any = /^\/(?:containers|exec|networks)\//.test(route) ? ".*" : "[^/]+";
    const names = [...route.matchAll(/:(\w+)|(\*)/g)].map(([, name, star]) => name ?? star ?? "");
    const pattern = route
      .split(/(:\w+|\*)/)
      .map((part) =>
        part === "*" ? "(.*)" : part === ":checkpoint" ? "([^/]+)" : part.startsWith(":") ? `(${any})` : part,
      )
      .join("");
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found !== null)
      return {
        method,
        route,
        parameters: Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? ""])),
      };
  }
  return undefined;
}

const fill = ({ route, parameters }: Ran): string =>
  route.replaceAll(/:(\w+)|(\*)/g, (_whole, name: string | undefined, star: string) => parameters[name ?? star] ?? "");

describe("what policies, plugins and the audit log saw is what ran", () => {
  const open: Policy = { readOnly: false, containerLabels: [], endpoints: [] };
  const restart = parseEndpointRule("POST /containers/{id}/restart") ?? assert.fail();
  const policies: Record<string, Policy> = {
    all: open,
    read: { ...open, readOnly: true },
    labels: { ...open, containerLabels: ["team=web"] },
    rule: { ...open, endpoints: [restart] },
  };
  const changing = (ran: Ran): boolean =>
    !/^(GET|HEAD|OPTIONS)$/.test(ran.method)
      ? ran.route !== "/containers/:name/wait"
      : ran.route === "/containers/:name/attach/ws";
  const lets: Record<string, (ran: Ran) => boolean> = {
    all: () => true,
    read: (ran) => !changing(ran),
    labels: ({ method, route }) =>
      (/^(?:\/longshore\/v1)?\/(?:containers|exec)\//.test(route) &&
        route !== "/containers/create" &&
        (method !== "PUT" || !route.endsWith("/ports"))) ||
      /^\/(?:events|info|version|_ping)$/.test(route),
    rule: ({ method, route }) =>
      (method === "POST" && route === "/containers/:name/restart") || /^\/(?:version|_ping)$/.test(route),
  };
  let dir = "";
  let routes: string[] = [];
  const listeners: Listener[] = [];
  const seen: { ran: Ran[]; uris: string[] } = { ran: [], uris: [] };
  const app = createApp(silent, { experimental: false });
  const agent = new Agent({ keepAlive: true });

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "targets-"));
    const audit = new AuditLog(silent);
    audit.configure({ path: join(dir, "audit"), reads: true });
    audit.watch(app);
    guard(app);
    const plugin = {
      call: async (_method: string, { RequestUri }: { RequestUri: string }) => (
        seen.uris.push(RequestUri),
        { Allow: true }
      ),
    };
    authorize(app, { get: async () => plugin } as unknown as Plugins, { authorizationPlugins: ["p"] });
    routes = addRecorders(app, (ran) => seen.ran.push(ran));
    await app.ready();
    for (const [name, policy] of Object.entries(policies)) {
      listeners.push(
        ...(await listen({ scheme: "unix", path: join(dir, name) }, app.routing.bind(app), {
          group: "",
          log: silent,
          connected: (socket) => bindPolicy(socket, policy),
        })),
      );
    }
  });
  after(async () => {
    agent.destroy();
    await Promise.all(listeners.map((listener) => listener.close()));
    await app.close();
    await rm(dir, { recursive: true });
  });

  async function ask(socket: string, method: string, path: string): Promise<number> {
    const call = httpRequest({
      socketPath: join(dir, socket),
      method,
      path,
      agent: method === "HEAD" ? false : agent,
      headers: { Host: "x" },
    });
    // As Go's server, ours tells of what is no HTTP with a body, also when the method seems to be HEAD.
    call.on("error", () => undefined).end();
    const answered = (await once(call, "response").catch(() => undefined)) as [IncomingMessage] | undefined;
    if (answered === undefined) return 400;
    const [response] = answered;
    response.resume();
    await once(response, "close");
    return response.statusCode ?? 0;
  }

  it("for targets of all spellings", async function () {
    this.timeout(0);
    let served = 0;
    await fuzz(600, async (random) => {
      const [method, target] = randomTarget(random, routes as [string, ...string[]]);
      const socket = random.pick(["all", "read", "labels", "rule"]);
      seen.ran = [];
      seen.uris = [];
      await truncate(join(dir, "audit")).catch(() => undefined);
      const status = await ask(socket, method, target);
      const meant = oracle(routes, method, target);
      const about = `${method} ${target} on ${socket}: ${status}`;
      // Node's parser knows fewer forms than Go's, and a query may be broken: what is refused so does nothing.
      if (status === 400) return assert.deepEqual(seen.ran, [], about);
      const allowed = meant !== undefined && lets[socket]?.(meant) === true;
      assert.deepEqual(seen.ran, allowed ? [meant] : [], about);
      if (meant === undefined) return;
      assert.equal(status, allowed ? 200 : 403, about);
      const path = fill(meant);
      const [line = ""] = (await readFile(join(dir, "audit"), "utf8")).split("\n", 1);
      assert.equal((JSON.parse(line) as { path: string }).path, path, about);
      if (!allowed) return;
      served++;
      // Read as any parser of URLs does it, a plugin's text leads to the same.
      for (const uri of seen.uris)
        assert.equal(decodeURIComponent(new URL(uri, "http://x").pathname).replace(/^\/v1\.\d+/, ""), path, about);
      assert.ok(seen.uris.length >= 1, about);
    });
    assert.ok(served > 0);
  });
});
