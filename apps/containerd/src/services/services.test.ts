import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LocalStore, digestOf } from "@longshore/content";
import { connectContainerd } from "@longshore/containerd-client/connect";
import { type ContainerdClient, inNamespace, underLease } from "@longshore/containerd-client";
import { NotFound } from "@longshore/errdefs";
import { Exchange } from "@longshore/events";
import { Channel, type RunningServer, createClient, implement, serve } from "@longshore/grpc";
import { silent } from "@longshore/logger";
import { Metadata } from "@longshore/metadata";
import { packAny, unpackAny } from "@longshore/proto";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import {
  Content,
  WriteAction,
  type WriteContentRequestSchema,
} from "@longshore/proto/containerd/services/content/v1/content";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@longshore/proto/grpc/health/v1/health";
import { containersService } from "./containers.ts";
import { contentService } from "./content/content.ts";
import { eventsService } from "./events.ts";
import { healthService } from "./health.ts";
import { imagesService } from "./images.ts";
import { type Plugin, PluginSet, SkipPlugin } from "../registry/plugin-set.ts";
import type { Meta, Registration } from "../registry/registration.ts";
import { introspectionService } from "./introspection.ts";
import { leasesService } from "./leases.ts";
import { namespacesService } from "./namespaces.ts";
import { versionService } from "./version.ts";

type Request = MessageInitShape<typeof WriteContentRequestSchema>;

async function* sequence<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe("record and content services", () => {
  let root: string;
  let exchange: Exchange;
  let metadata: Metadata;
  let server: RunningServer;
  let channel: Channel;
  let client: ContainerdClient;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "services-"));
    exchange = new Exchange();
    const publisher = exchange;
    const content = await LocalStore.open(join(root, "content"));
    metadata = await Metadata.open({
      root: join(root, "metadata"),
      content,
      snapshotters: {},
      publisher,
      logger: silent,
      gc: { startupDelayMs: 1 << 30 },
    });
    const plugins = new PluginSet();
    const add = (registration: Partial<Registration>, result: Plugin["result"], meta: Partial<Meta> = {}): void =>
      plugins.add({
        registration: { type: "io.containerd.grpc.v1", id: "", init: () => undefined, ...registration },
        meta: { platforms: [], exports: {}, capabilities: [], ...meta },
        result,
      });
    add({ type: "io.containerd.content.v1", id: "content" }, { instance: {} });
    add({ id: "version" }, { instance: {} }, { exports: { a: "b", now: () => "c", never: () => undefined } });
    add({ id: "broken", requires: ["io.containerd.content.v1"] }, { error: new NotFound("no disk") });
    add({ id: "skipped" }, { error: new SkipPlugin("not set up") });
    add({ id: "runtime" }, { instance: {} }, { info: async (options) => options });
    const services = [
      implement(Version, versionService({ version: "v2.1.0", revision: "r" })),
      implement(Namespaces, namespacesService({ metadata, publisher })),
      implement(Containers, containersService({ metadata, publisher })),
      implement(Content, contentService({ metadata })),
      implement(Images, imagesService({ metadata })),
      implement(Leases, leasesService({ metadata })),
      implement(Events, eventsService({ exchange })),
      implement(Introspection, introspectionService({ root, plugins })),
      implement(Health, healthService()),
    ];
    server = await serve(services, { path: join(root, "s.sock") });
    channel = new Channel(join(root, "s.sock"));
    client = connectContainerd(channel, "test");
  });

  afterEach(async () => {
    channel.close();
    await server.close(100);
    await metadata.close();
    rmSync(root, { recursive: true });
  });

  const hello = Buffer.from("hello");
  const digest = digestOf(hello);
  const write = (...requests: Request[]) => all(client.content.write(sequence(...requests)));

  describe("content", () => {
    it("is written message by message", async () => {
      const answers = await write(
        { action: WriteAction.STAT, ref: "r", total: 5n },
        { action: WriteAction.WRITE, ref: "r", data: hello.subarray(0, 2) },
        { action: WriteAction.WRITE, ref: "r", data: hello.subarray(2), offset: 2n },
        { action: WriteAction.COMMIT, ref: "r", offset: 5n, total: 5n, expected: digest, labels: { a: "b" } },
      );
      assert.deepEqual(
        answers.map(({ action, offset }) => [action, offset]),
        [
          [0, 0n],
          [1, 2n],
          [1, 5n],
          [2, 5n],
        ],
      );
      assert.equal(answers[3]?.digest, digest);
      assert.deepEqual((await client.content.info({ digest })).info?.labels, { a: "b" });
      assert.deepEqual(
        (await all(client.content.read({ digest, offset: 1n, size: 2n }))).map(({ offset, data }) => [
          offset,
          Buffer.from(data).toString(),
        ]),
        [[0n, "el"]],
      );
    });

    it("is resumed where a broken stream left it, or begun anew at 0", async () => {
      await write({ action: WriteAction.WRITE, ref: "r", data: Buffer.from("he") });
      await assert.rejects(write({ action: WriteAction.WRITE, ref: "r", data: Buffer.from("x"), offset: 7n }), {
        name: "OutOfRange",
        message: "write @7 must occur at current offset 2",
      });
      const [answer] = await write({ action: WriteAction.WRITE, ref: "r", data: Buffer.from("J"), offset: 0n });
      assert.deepEqual([answer?.offset, answer?.digest], [1n, digestOf("J")]);
    });

    // The texts are those of containerd 2.1.
    const refused: [name: string, call: () => Promise<unknown>, error: object][] = [
      [
        "a write without ref",
        () => write({ action: WriteAction.STAT }),
        { name: "InvalidArgument", message: "first message must have a reference" },
      ],
      [
        "info of no digest",
        () => client.content.info({ digest: "foo" }),
        { name: "InvalidArgument", message: '"foo" failed validation' },
      ],
      [
        "a read of no digest",
        () => all(client.content.read({ digest: "foo" })),
        { name: "InvalidArgument", message: "foo: invalid checksum digest format" },
      ],
      [
        "a delete of no digest",
        () => client.content.delete({ digest: "foo" }),
        { name: "InvalidArgument", message: "invalid checksum digest format" },
      ],
      [
        "the status of no ingest",
        () => client.content.status({ ref: "zz" }),
        { name: "NotFound", message: 'could not get status for ref "zz": reference zz: not found' },
      ],
      [
        "a call without namespace",
        () => createClient(channel, Content).info({ digest }),
        { name: "FailedPrecondition", message: "namespace is required: failed precondition" },
      ],
      [
        "a call in a bad namespace",
        () => createClient(channel, Content, inNamespace("a b")).info({ digest }),
        { name: "InvalidArgument", message: /^namespace validation: identifier "a b" must match / },
      ],
      [
        "an image without target",
        () => client.images.create({ image: { name: "i" } }),
        {
          name: "InvalidArgument",
          message: 'Target.Digest "" invalid: invalid checksum digest format: invalid argument',
        },
      ],
      [
        "an image without name",
        () => client.images.create({}),
        { name: "InvalidArgument", message: "Image.Name required" },
      ],
      ["no container", () => client.containers.create({}), { name: "InvalidArgument" }],
      [
        "the update of no container",
        () => client.containers.update({}),
        { name: "InvalidArgument", message: "Container.ID required" },
      ],
      ["no resource", () => client.leases.addResource({ id: "l" }), { name: "InvalidArgument" }],
      ["no namespace", () => client.namespaces.create({}), { name: "InvalidArgument" }],
      ["no envelope", () => client.events.forward({}), { name: "InvalidArgument" }],
      [
        "an unknown plugin",
        () => client.introspection.pluginInfo({ type: "x", id: "y" }),
        { name: "NotFound", message: "plugin x.y not found: not found" },
      ],
    ];
    for (const [name, call, error] of refused) it(`refuses ${name}`, () => assert.rejects(call(), error));
  });

  it("lets a lease of the call keep what is made, and collects at a synchronous delete", async () => {
    await client.leases.create({ id: "l" });
    await all(client.content.write(sequence({ action: WriteAction.COMMIT, ref: "r", data: hello }), underLease("l")));
    assert.deepEqual(
      (await client.leases.listResources({ id: "l" })).resources.map(({ id, type }) => [type, id]),
      [["content", digest]],
    );
    await client.leases.delete({ id: "l", sync: true });
    await assert.rejects(client.content.info({ digest }), { name: "NotFound" });
  });

  it("publishes events to subscribers, by filter", async () => {
    const stop = new AbortController();
    const events = client.events
      .subscribe({ filters: ["event.id==c1", "event.name==i"] }, { signal: stop.signal })
      [Symbol.asyncIterator]();
    const first = events.next();
    const container = { id: "c1", runtime: { name: "r" }, spec: { typeUrl: "t", value: new Uint8Array() } };
    // The subscription is a call of its own: publish until it is there.
    const publishing = (async () => {
      for (let at = 0; !stop.signal.aborted; at++) {
        await client.containers.create({ container: { ...container, id: `other${at}` } });
        await client.containers.create({ container });
        await client.containers.delete({ id: "c1" });
      }
    })();
    const { value } = await first;
    stop.abort();
    await publishing;
    assert.equal(value?.namespace, "test");
    assert.match(value?.topic ?? "", /^\/containers\/(create|delete)$/);
  });

  it("bears clients that cancel calls by the thousand, as Go's reader of blobs does", async () => {
    await write({ action: WriteAction.COMMIT, ref: "r", data: Buffer.alloc(256 << 10) });
    const large = digestOf(Buffer.alloc(256 << 10));
    for (let round = 0; round < 15; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const calls = client.content.read({ digest: large })[Symbol.asyncIterator]();
          await calls.next();
          await calls.return?.();
        }),
      );
    }
    assert.equal((await client.content.info({ digest: large })).info?.size, 256n << 10n);
  });

  it("keeps what a container's messages hold", async () => {
    const packed = { typeUrl: "t", value: Buffer.from("{}") };
    const container = {
      id: "c1",
      image: "i",
      labels: { a: "b" },
      runtime: { name: "r", options: packed },
      spec: packed,
      extensions: { e: packed },
      sandbox: "s",
    };
    await client.containers.create({ container });
    const { container: got } = await client.containers.get({ id: "c1" });
    assert.deepEqual(
      [
        got?.image,
        got?.labels,
        got?.runtime?.options?.typeUrl,
        Buffer.from(got?.spec?.value ?? []).toString(),
        got?.extensions["e"]?.typeUrl,
        got?.sandbox,
      ],
      ["i", { a: "b" }, "t", "{}", "t", "s"],
    );
    assert.deepEqual(
      (await all(client.containers.listStream({}))).map(({ container: streamed }) => streamed?.id),
      ["c1"],
    );
  });

  it("tells about itself", async () => {
    assert.equal((await client.version.version({})).version, "v2.1.0");
    const { uuid, pid } = await client.introspection.server({});
    assert.deepEqual([(await client.introspection.server({})).uuid, pid], [uuid, BigInt(process.pid)]);
    assert.deepEqual(
      (await client.introspection.plugins({ filters: ["id==version"] })).plugins.map(({ type }) => type),
      ["io.containerd.grpc.v1"],
    );
    const grpcType = "io.containerd.grpc.v1";
    const options = packAny(StringValueSchema, { value: "which" });
    const described = await Promise.all(
      ["version", "broken", "skipped"].map((id) => client.introspection.pluginInfo({ type: grpcType, id })),
    );
    assert.deepEqual(
      described.map(({ plugin }) => [
        plugin?.requires,
        plugin?.exports,
        plugin?.initErr?.code,
        plugin?.initErr?.message,
      ]),
      [
        [[], { a: "b", now: "c" }, undefined, undefined],
        [["io.containerd.content.v1"], {}, 5, "no disk"],
        [[], {}, 2, "not set up: skip plugin"],
      ],
    );
    const asked = await client.introspection.pluginInfo({ type: grpcType, id: "runtime", options });
    assert.deepEqual(asked.extra && unpackAny(asked.extra, StringValueSchema)?.value, "which");
    for (const [id, message] of [
      ["broken", /cannot get extra info, plugin not successfully loaded: failed precondition/],
      ["version", /plugin does not provided extra information: not implemented/],
    ] as const)
      await assert.rejects(client.introspection.pluginInfo({ type: grpcType, id, options }), message);
    assert.equal((await createClient(channel, Health).check({})).status, Status.SERVING);
  });
});
