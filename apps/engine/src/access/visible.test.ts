import assert from "node:assert/strict";
import type { Container, ContainerFinder } from "@longshore/containers";
import { silent } from "@longshore/logger";
import type { Backends } from "../backends.ts";
import { routes } from "../routes/all.ts";
import { createApp } from "../server/app.ts";
import { guard } from "./guard.ts";
import { bindPolicy } from "./socket-policy.ts";

const containerLabels = ["team=web"];

/** A container as far as names are looked up. */
function container(name: string, team: string): Container {
  const made = {
    id: name.repeat(64),
    name,
    record: { Config: { Labels: { team } } },
    hostConfig: {},
    execs: new Map<string, unknown>(),
  };
  made.execs.set(`exec-${name}`, { id: `exec-${name}`, container: made });
  return made as unknown as Container;
}

describe("containers of a label socket", () => {
  const [own, foreign] = [container("a", "web"), container("b", "db")];
  const names = new Map([
    ["own", own],
    ["other", foreign],
  ]);
  let asked: string[] = [];
  let found: (name: string) => Container | undefined = (name) => names.get(name);
  const known = {
    find: (name: string) => {
      asked.push(name);
      return found(name);
    },
    all: () => [own, foreign],
    // These look names up themselves, among the containers that they are given.
    kill: async (existing: ContainerFinder, name: string) => void existing.get(name),
    removeLink: async (existing: ContainerFinder, name: string) => void existing.get(name),
  };
  const exec = {
    find: (id: string) => [own, foreign].map(({ execs }) => execs.get(id)).find((each) => each !== undefined),
    checkKeys: () => undefined,
  };
  const nothing: unknown = new Proxy(() => undefined, {
    get: (_target, key) => (key === "then" ? undefined : nothing),
    apply: () => assert.fail("something was done"),
  });
  const engine = new Proxy(
    {
      config: { experimental: false },
      containers: new Proxy(known, { get: (each, key) => Reflect.get(each, key) ?? nothing }),
      exec: new Proxy(exec, { get: (each, key) => Reflect.get(each, key) ?? nothing }),
      log: silent,
    },
    { get: (known, key) => Reflect.get(known, key) ?? nothing },
  );
  const app = createApp(silent, { experimental: false });
  const confined: [method: string, route: string][] = [];

  before(async () => {
    app.addHook("onRequest", (request, _reply, done) => {
      bindPolicy(request.raw.socket, { readOnly: false, endpoints: [], containerLabels });
      done();
    });
    guard(app);
    app.addHook("onRoute", ({ method, url, config }) => {
      if (config?.confined === true && /:(?:name|id)/.test(url)) confined.push([String(method), url]);
    });
    for (const add of routes) add(app, engine as unknown as Backends);
    await app.ready();
  });
  after(() => app.close());

  const query = "stdout=1&h=1&w=1&path=/&stream=0&name=new";
  async function ask(method: string, route: string, name: string): Promise<[status: number, text: string]> {
    const body =
      method === "POST" && /\/(?:exec|update|start)$/.test(route) && route !== "/containers/:name/start"
        ? { payload: { Cmd: ["true"] } }
        : {};
    const url = `${route.replace(":name", name).replace(":id", `exec-${name}`).replace(":checkpoint", "c")}?${query}`;
    const { statusCode, payload } = await app.inject({ method: method as "GET", url, ...body });
    return [statusCode, payload];
  }

  it("each route finds no other, however it is asked", async () => {
    assert.ok(confined.length > 25);
    // Without the experimental features these are not there for anybody.
    const served = confined.filter(([, route]) => !route.includes("checkpoints"));
    for (const [method, route] of served) {
      asked = [];
      const [status, text] = await ask(method, route, route.includes(":id") ? "b" : "other");
      assert.equal(status, 404, `${method} ${route}: ${text}`);
      if (method !== "HEAD")
        assert.match(text, /No such (?:container: other|exec instance: exec-b)/, `${method} ${route}`);
    }
  });

  it("a name is found once: that it becomes another's a moment later is no way in", async () => {
    for (const [method, route] of confined.filter(
      ([, each]) => each.includes(":name") && !each.includes("checkpoints"),
    )) {
      asked = [];
      // The second look would find what the first one did not.
      found = () => (asked.length === 1 ? foreign : own);
      const [status] = await ask(method, route, "moved");
      found = (name) => names.get(name);
      assert.deepEqual([status, asked], [404, ["moved"]], `${method} ${route}`);
    }
  });
});
