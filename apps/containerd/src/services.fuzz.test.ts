import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { connectContainerd } from "@longshore/containerd-client/connect";
import { inNamespace } from "@longshore/containerd-client";
import { messageOf } from "@longshore/errdefs";
import { type Random, fuzz } from "@longshore/fuzz";
import { Channel, type RunningServer, createClient, serve } from "@longshore/grpc";
import { silent } from "@longshore/logger";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Content } from "@longshore/proto/containerd/services/content/v1/content";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { Store as Sandboxes } from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { defaultConfig } from "./config/config.ts";
import { builtinPlugins } from "./plugins/builtin.ts";
import { grpcService, metadataStore } from "./plugins/types.ts";
import { type LoadedPlugins, loadPlugins } from "./registry/load.ts";
import { randomMessage } from "./testing/messages.ts";

/** Those that keep records; the others start programs, mount, and ask registries. */
const kept = [Containers, Content, Images, Introspection, Leases, Namespaces, Sandboxes, Snapshots] as const;
/** What no client should be told: an error that nobody foresaw. */
const unforeseen =
  /TypeError|RangeError|is not a function|Cannot (read|convert|mix)|undefined|ERR_|SQLITE|constraint|BigInt|NaN|not iterable/;

type AnyMethod = (request: unknown, options?: { signal: AbortSignal }) => Promise<unknown> | AsyncIterable<unknown>;

describe("calls of any kind", () => {
  let root: string;
  let loaded: LoadedPlugins;
  let server: RunningServer;
  let channel: Channel;

  const start = async (): Promise<void> => {
    loaded = await loadPlugins(builtinPlugins(defaultConfig()), {
      // Nothing that is called here comes to a task.
      disabled: ["io.containerd.runtime.v2.task", "io.containerd.sandbox.controller.v1.shim"],
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
      for (let left = random.int(0, 4); left > 0; left--) yield message();
    }
    const answer = client[method.localName]?.(method.methodKind === "bidi_streaming" ? several() : message(), {
      signal: AbortSignal.timeout(10_000),
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

  it("are answered or refused in words, and hide no record from the others, nor keep the daemon from starting", async function () {
    this.timeout(0);
    const outcomes = { answered: 0, refused: 0 };
    let rounds = 0;
    await fuzz(250, async (random) => {
      const service = random.pick(kept as unknown as [DescService, ...DescService[]]);
      try {
        await (random.chance(0.1) ? garble(random, service) : call(random, service));
        outcomes.answered++;
      } catch (error) {
        assert.doesNotMatch(messageOf(error).replace(/^13 INTERNAL: Error deserializing request.*$/s, ""), unforeseen);
        outcomes.refused++;
      }
      if (++rounds % 100 === 0) await listAll();
    });
    assert.ok(
      process.env["LONGSHORE_FUZZ_ROUNDS"] !== undefined || Math.min(outcomes.answered, outcomes.refused) > 20,
      JSON.stringify(outcomes),
    );
    await stop();
    await start();
    await listAll();
    assert.deepEqual(loaded.plugins.single(metadataStore).damage(), []);
  });
});
