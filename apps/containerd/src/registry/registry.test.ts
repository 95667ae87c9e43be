import assert from "node:assert/strict";
import { InvalidArgument, NotFound } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { pluginConfig } from "../config/plugin-config.ts";
import { type LoadOptions, loadPlugins } from "./load.ts";
import { SkipPlugin } from "./plugin-set.ts";
import { type PluginType, type Registration, pluginType, plugin, uriOf } from "./registration.ts";
import { Registry } from "./registry.ts";

const store = pluginType<string>("test.store.v1");
const service = pluginType<string>("test.service.v1");
const door = pluginType<string>("test.door.v1");

function registryOf(...registrations: Registration[]): Registry {
  const registry = new Registry();
  for (const registration of registrations) registry.register(registration);
  return registry;
}

/** One that gives its id. */
function simple(type: PluginType<string>, id: string, requires: PluginType<string>[] = []): Registration {
  return plugin({ type, id, requires, init: () => id });
}

function load(registry: Registry, options: Partial<LoadOptions> = {}): ReturnType<typeof loadPlugins> {
  const properties = { root: "/r", state: "/s", grpcAddress: "/g", ttrpcAddress: "/t", logger: silent };
  return loadPlugins(registry, {
    disabled: [],
    required: [],
    configOf: ({ config = {} }) => config,
    properties,
    ...options,
  });
}

describe("plugins", () => {
  it("are initialized as registered, but after all that they require", () => {
    const order = (registry: Registry, disabled: string[] = []): string[] =>
      registry.graph(disabled).map((registration) => registration.id);
    const registry = registryOf(
      simple(door, "d", [service]),
      simple(store, "a"),
      simple(service, "s", [store]),
      simple(store, "b"),
    );
    assert.deepEqual(order(registry), ["a", "b", "s", "d"]);
    assert.deepEqual(order(registry, [`${service}.s`, "nobody.v1.x"]), ["d", "a", "b"]);
  });

  it("are refused without a name, twice, and where they require themselves or each other", () => {
    for (const [registrations, message] of [
      [[simple(pluginType(""), "x")], "plugin: no type"],
      [[simple(store, "")], "plugin: no id"],
      [[simple(store, "x"), simple(store, "x")], "test.store.v1.x: plugin: id already registered"],
      [[simple(store, "x", [store])], "invalid requires"],
    ] as const)
      assert.throws(() => registryOf(...registrations), { message });
    const circle = registryOf(simple(store, "x", [door]), simple(service, "y", [store]), simple(door, "z", [service]));
    assert.throws(() => circle.graph(), {
      message: "circular plugin dependency at test.store.v1.x: plugin: dependency loop detected",
    });
    assert.deepEqual(circle.graph(["test.door.v1.z"]).length, 2);
  });

  it("that fail are shown with their error, as are those that need them; the others go on", async () => {
    const broken = plugin({
      type: store,
      id: "broken",
      init(): string {
        throw new NotFound("no disk");
      },
    });
    const needs = plugin({ type: service, id: "needs", requires: [store], init: (context) => context.single(store) });
    const lonely = plugin({ type: service, id: "lonely", requires: [door], init: (context) => context.single(door) });
    const { plugins } = await load(registryOf(broken, needs, lonely, simple(service, "other")));
    assert.deepEqual(
      plugins
        .all()
        .map(({ registration, result }) => [
          registration.id,
          "error" in result ? (result.error as Error).message : result.instance,
        ]),
      [
        ["broken", "no disk"],
        ["needs", "no disk"],
        ["lonely", "no plugins registered for test.door.v1: plugin: not found"],
        ["other", "other"],
      ],
    );
    assert.deepEqual(plugins.working(service), ["other"]);
  });

  it("that skip themselves are as if they were not there", async () => {
    const skips = plugin({
      type: store,
      id: "skips",
      init(): string {
        throw new SkipPlugin("not set up");
      },
    });
    const one = plugin({ type: service, id: "one", requires: [store], init: (context) => context.single(store) });
    const { plugins } = await load(registryOf(skips, simple(store, "there"), one));
    assert.deepEqual(plugins.working(service), ["there"]);
    assert.deepEqual([...plugins.byType(store).keys()], ["there"]);
    assert.throws(() => plugins.single(door), /plugin: not found/);
  });

  it("are never several where one is asked for", async () => {
    const { plugins } = await load(registryOf(simple(store, "a"), simple(store, "b")));
    assert.throws(() => plugins.single(store), /multiple plugins registered for test\.store\.v1/);
  });

  it("that are required end the start when they fail, skip themselves, are disabled or unknown", async () => {
    const closed: string[] = [];
    const first = plugin({
      type: store,
      id: "first",
      init(context) {
        context.onClose(() => closed.push("first"));
        return "";
      },
    });
    const failing = (error: Error): Registration =>
      plugin({
        type: service,
        id: "fails",
        init(context): string {
          context.onClose(() => closed.push("fails"));
          throw error;
        },
      });
    const uri = "test.service.v1.fails";
    for (const [registry, options, expected, closes] of [
      [
        registryOf(first, failing(new NotFound("no disk"))),
        { required: [uri] },
        { kind: "NotFound", message: `load required plugin ${uri}: no disk` },
        ["fails", "first"],
      ],
      [
        registryOf(first, failing(new SkipPlugin("off"))),
        { required: [uri] },
        { message: `load required plugin ${uri}: off: skip plugin` },
        ["fails", "first"],
      ],
      [
        registryOf(first, simple(service, "fails")),
        { required: [uri], disabled: [uri] },
        { message: `required plugin [${uri}] not included` },
        ["first"],
      ],
      [
        registryOf(first),
        { required: ["a.v1.b", "c.v1.d"] },
        { message: "required plugin [a.v1.b c.v1.d] not included" },
        ["first"],
      ],
    ] as const) {
      closed.length = 0;
      await assert.rejects(load(registry, options), expected);
      assert.deepEqual(closed, closes);
    }
  });

  it("are closed the last first, whatever becomes of one, also within one and after its failure", async () => {
    const closed: string[] = [];
    const closing = (type: PluginType<string>, id: string, init: () => string = () => id): Registration =>
      plugin({
        type,
        id,
        init(context) {
          context.onClose(() => closed.push(`${id}.1`));
          context.onClose(async () => {
            closed.push(`${id}.2`);
            if (id === "b") throw new Error("stuck");
          });
          return init();
        },
      });
    const fail = (): string => {
      throw new Error("no");
    };
    const { close } = await load(registryOf(closing(store, "a"), closing(store, "b"), closing(door, "c", fail)));
    assert.deepEqual(closed.splice(0), ["c.2", "c.1"]);
    await assert.rejects(close(), { message: "stuck" });
    assert.deepEqual(closed, ["b.2", "b.1", "a.2", "a.1"]);
  });

  it("have a directory by their name, and the file's configuration over their defaults", async () => {
    const seen: unknown[] = [];
    const configured = plugin({
      type: store,
      id: "x",
      config: { path: "/default", count: 1, names: ["a"], inner: { on: true } },
      init(context) {
        seen.push(context.root, context.config);
        return "";
      },
    });
    const configOf = (table: unknown) => pluginConfig(configured, { [uriOf(configured)]: table });
    await load(registryOf(configured), { configOf: () => configOf({ count: 2, names: [], inner: {} }).config });
    assert.deepEqual(seen, ["/r/test.store.v1.x", { path: "/default", count: 2, names: [], inner: { on: true } }]);
    assert.deepEqual(configOf({ nope: 1, inner: { nor: 2 } }).ignored, ["nope", "inner.nor"]);
    for (const [table, message] of [
      [1, 'plugins."test.store.v1.x" must be a table'],
      [{ count: "2" }, 'plugins."test.store.v1.x".count must be a number'],
      [{ inner: [] }, 'plugins."test.store.v1.x".inner must be a table'],
    ] as const)
      assert.throws(() => configOf(table), { message });
    await assert.rejects(
      load(registryOf(configured), { configOf: () => configOf({ path: 1 }).config }),
      InvalidArgument,
    );
  });
});
