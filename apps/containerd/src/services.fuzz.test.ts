import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { connectContainerd } from "@longshore/containerd-client/connect";
import { inNamespace } from "@longshore/containerd-client";
import { messageOf } from "@longshore/errdefs";
import { type Random, fuzz } from "@longshore/fuzz";
import { Channel, type RunningServer, createClient, serve } from "@longshore/grpc";
import { silent } from "@longshore/logger";
import { packAny } from "@longshore/proto";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Content, WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import {
  Controller as SandboxController,
  Store as Sandboxes,
} from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { StreamInitSchema, Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Transfer } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { Health } from "@longshore/proto/grpc/health/v1/health";
import { defaultConfig } from "./config/config.ts";
import { builtinPlugins } from "./plugins/builtin.ts";
import { grpcService, metadataStore } from "./plugins/types.ts";
import { type LoadedPlugins, loadPlugins } from "./registry/load.ts";
import { emptyLayer, randomMessage } from "./testing/messages.ts";

const file = fileURLToPath(import.meta.url);
const inside = process.env["LONGSHORE_TEST_CALLS"] === "1";
/** Those that keep records. */
const kept = [Containers, Content, Images, Introspection, Leases, Namespaces, Sandboxes, Snapshots] as const;
/** Those that start programs, mount, ask registries, or go on until their caller ends them. */
const acting = [
  ...[Diff, Diff, Tasks, Tasks, Tasks, Transfer, Transfer, SandboxController, SandboxController],
  ...[Streaming, Streaming, Events, Health, Version],
] as const;
/** How long a call may take that ends with its caller alone, and how long all others, in ms. */
const endlessMs = 50;
const longestMs = 10_000;
const endless = new Set(["containerd.services.events.v1.Events.Subscribe", "grpc.health.v1.Health.Watch"]);
/** What no client should be told: an error that nobody foresaw. */
const unforeseen =
  /TypeError|RangeError|is not a function|Cannot (read|convert|mix)|undefined|ERR_|SQLITE|constraint|BigInt|NaN|not iterable/;

type AnyMethod = (request: unknown, options?: { signal: AbortSignal }) => Promise<unknown> | AsyncIterable<unknown>;

// Mounts and what is asked of registries stay in namespaces that end with the test.
(inside ? describe.skip : describe)("calls of any kind, on a host of its own", function () {
  if (process.getuid?.() !== 0) return;
  it("its tests pass", function () {
    this.timeout(0);
    const mocha = [process.execPath, process.argv[1] ?? "", "--no-config", "--exit", "--timeout", "20000", file];
    const { status, stdout } = spawnSync("unshare", ["--net", "--mount", "--pid", "--fork", "--mount-proc", ...mocha], {
      env: { ...process.env, LONGSHORE_TEST_CALLS: "1" },
    });
    assert.equal(status, 0, String(stdout));
  });
});

(inside ? describe : describe.skip)("calls of any kind", () => {
  let root: string;
  let loaded: LoadedPlugins;
  let server: RunningServer;
  let channel: Channel;

  const start = async (): Promise<void> => {
    loaded = await loadPlugins(builtinPlugins(defaultConfig()), {
      disabled: [],
      required: [],
      configOf: ({ config = {} }) => config,
      properties: {
        root,
        state: join(root, "state"),
        grpcAddress: join(root, "s.sock"),
        ttrpcAddress: join(root, "t.sock"),
        logger: silent,
      },
    });
    server = await serve(loaded.plugins.working(grpcService), { path: join(root, "s.sock") });
    channel = new Channel(join(root, "s.sock"));
  };
  const stop = async (): Promise<void> => {
    channel.close();
    await server.close(0);
    await loaded.close();
  };
  before(async () => {
    root = mkdtempSync(join(tmpdir(), "calls-"));
    mkdirSync(join(root, "state"));
    await start();
  });
  after(async () => {
    await stop();
    rmSync(root, { recursive: true });
  });

  async function list(namespace: string): Promise<void> {
    const client = connectContainerd(channel, namespace);
    await client.images.list({ filters: [] });
    await client.containers.list({ filters: [] });
    await client.leases.list({ filters: [] });
    await createClient(channel, Sandboxes, inNamespace(namespace)).list({ filters: [] });
    await Array.fromAsync(client.content.list({ filters: [] }));
    await client.content.listStatuses({ filters: [] });
    await Array.fromAsync(client.snapshots.list({ snapshotter: "overlayfs", filters: [] }));
    await client.namespaces.list({});
  }

  /** Something to work on, so that calls come far: a layer, a container of each name, and a snapshot. */
  async function seed(): Promise<void> {
    const client = connectContainerd(channel, "t");
    const data = Buffer.alloc(1024);
    await client.namespaces.create({ namespace: { name: "t" } }).catch(() => undefined);
    const write = { action: WriteAction.COMMIT, ref: "seed", total: 1024n, expected: emptyLayer, data };
    await Array.fromAsync(
      client.content.write(
        (async function* () {
          yield write;
        })(),
      ),
    ).catch(() => undefined);
    for (const id of ["a", "b", "c"]) {
      await client.snapshots.prepare({ snapshotter: "overlayfs", key: id }).catch(() => undefined);
      const spec = { typeUrl: "types.containerd.io/opencontainers/runtime-spec/1/Spec", value: Buffer.from("{}") };
      const container = {
        id,
        runtime: { name: "io.containerd.longshore.v2" },
        spec,
        snapshotter: "overlayfs",
        snapshotKey: id,
      };
      await client.containers.create({ container }).catch(() => undefined);
    }
  }

  async function listAll(): Promise<void> {
    const { namespaces } = await connectContainerd(channel, "t").namespaces.list({});
    for (const { name } of namespaces) await list(name);
    await list("t");
  }

  async function call(random: Random, service: DescService): Promise<void> {
    const method = service.methods[random.int(0, service.methods.length - 1)];
    if (method === undefined) return;
    const namespace = random.pick(["t", "t", "t", "", "a b", "other"]);
    const client = createClient(channel, service as never, inNamespace(namespace)) as unknown as Record<
      string,
      AnyMethod
    >;
    const message = (): unknown => randomMessage(random, method.input as DescMessage);
    async function* several(): AsyncGenerator<unknown> {
      if (service === Streaming && random.chance(0.9)) {
        yield packAny(StreamInitSchema, { id: random.pick(["a", "b", "c"]) });
        // A transfer may take it meanwhile.
        await sleep(endlessMs / 2);
      }
      for (let left = random.int(0, 4); left > 0; left--) yield message();
    }
    const answer = client[method.localName]?.(method.methodKind === "bidi_streaming" ? several() : message(), {
      signal: AbortSignal.timeout(
        endless.has(`${service.typeName}.${method.name}`) || method.methodKind === "bidi_streaming"
          ? endlessMs
          : longestMs,
      ),
    });
    if (answer !== undefined && Symbol.asyncIterator in answer) for await (const _ of answer);
    else await answer;
  }

  /** A message's bytes with some of them changed. */
  async function garble(random: Random, service: DescService): Promise<void> {
    const method = service.methods.filter(({ methodKind }) => methodKind === "unary")[random.int(0, 2)];
    if (method === undefined) return;
    const bytes = Buffer.from(toBinary(method.input, randomMessage(random, method.input) as never));
    for (let changes = random.int(1, 5); changes > 0 && bytes.length > 0; changes--)
      bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
    const identity = (data: Buffer): Buffer => data;
    await new Promise<void>((resolve, reject) => {
      channel.raw.makeUnaryRequest(`/${service.typeName}/${method.name}`, identity, identity, bytes, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /** As many calls of these services as `fuzz` makes of `count`; @returns how they ended */
  async function tried(count: number, list: readonly DescService[]): Promise<{ answered: number; refused: number }> {
    const outcomes = { answered: 0, refused: 0 };
    let rounds = 0;
    await fuzz(count, async (random) => {
      const service = random.pick(list as [DescService, ...DescService[]]);
      try {
        await (random.chance(0.1) ? garble(random, service) : call(random, service));
        outcomes.answered++;
      } catch (error) {
        assert.doesNotMatch(messageOf(error).replace(/^13 INTERNAL: Error deserializing request.*$/s, ""), unforeseen);
        outcomes.refused++;
      }
      if (++rounds % 100 === 0) await listAll();
      if (list.includes(Tasks) && rounds % 50 === 0) await seed();
    });
    return outcomes;
  }

  it("are answered or refused in words, and hide no record from the others, nor keep the daemon from starting", async function () {
    this.timeout(0);
    const outcomes = await tried(250, kept);
    assert.ok(
      process.env["LONGSHORE_FUZZ_ROUNDS"] !== undefined || Math.min(outcomes.answered, outcomes.refused) > 20,
      JSON.stringify(outcomes),
    );
    await stop();
    await start();
    await listAll();
    assert.deepEqual(loaded.plugins.single(metadataStore).damage(), []);
  });

  it("that act are answered or refused in words, too, and leave nothing mounted", async function () {
    this.timeout(0);
    await seed();
    await tried(250, acting);
    await listAll();
    const client = connectContainerd(channel, "t");
    assert.deepEqual((await client.tasks.list({ filter: "" })).tasks, []);
    await stop();
    await start();
    await listAll();
    assert.ok(
      !readFileSync("/proc/self/mountinfo", "utf8").includes(root),
      readFileSync("/proc/self/mountinfo", "utf8"),
    );
    assert.deepEqual(loaded.plugins.single(metadataStore).damage(), []);
  });
});
