import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Any } from "@bufbuild/protobuf/wkt";
import { connectContainerd } from "@longshore/containerd-client/connect";
import type { ContainerdClient } from "@longshore/containerd-client";
import { Channel, type RunningServer, implement, serve } from "@longshore/grpc";
import { silent } from "@longshore/logger";
import { packAny, unpackAny } from "@longshore/proto";
import { StreamInitSchema, Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { Transfer as TransferDesc } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import {
  AuthRequestSchema,
  AuthResponseSchema,
  AuthType,
  ContainerPathSchema,
  DataSchema,
  ImageExportStreamSchema,
  ImageImportStreamSchema,
  ImageStoreSchema,
  OCIRegistrySchema,
  ProgressSchema,
  WindowUpdateSchema,
} from "@longshore/proto/containerd/types/transfer/transfer";
import { Connections, fixedSchemeHosts } from "@longshore/remotes";
import type { Source, Transfer, TransferCall } from "@longshore/transfer";
import { streamingService } from "./streaming.ts";
import { StreamRegistry } from "./streams.ts";
import { transferService } from "./transfer.ts";

/** The client's end of a stream. */
class ClientStream {
  readonly received: Any[] = [];
  readonly ended: Promise<void>;
  readonly opened = Promise.withResolvers<void>();
  readonly #outgoing: (Any | undefined)[] = [];
  #wake: () => void = () => undefined;
  onMessage: (message: Any) => void = () => undefined;

  constructor(client: ContainerdClient, id: string) {
    this.send(packAny(StreamInitSchema, { id }));
    this.ended = this.#run(client);
    this.ended.catch((error: unknown) => this.opened.reject(error));
  }

  send(message: Any | undefined): void {
    this.#outgoing.push(message);
    this.#wake();
  }

  async *#requests(): AsyncGenerator<Any> {
    for (;;) {
      while (this.#outgoing.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const next = this.#outgoing.shift();
      if (next === undefined) return;
      yield next;
    }
  }

  async #run(client: ContainerdClient): Promise<void> {
    let first = true;
    for await (const message of client.streaming.stream(this.#requests())) {
      if (first) this.opened.resolve();
      else this.received.push(message);
      if (!first) this.onMessage(message);
      first = false;
    }
  }
}

describe("transfer service", () => {
  let dir: string;
  let server: RunningServer;
  let channel: Channel;
  let client: ContainerdClient;
  let pull: (source: Source, call: TransferCall) => Promise<never[]>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "transfer-service-"));
    const streams = new StreamRegistry();
    const transfer = {
      pull: (source: Source, _: unknown, call: TransferCall) => pull(source, call),
    } as unknown as Transfer;
    const deps = {
      transfer,
      streams,
      connections: new Connections(),
      hosts: fixedSchemeHosts("http"),
      userAgent: "test",
      log: silent,
    };
    server = await serve(
      [implement(Streaming, streamingService(streams, dir)), implement(TransferDesc, transferService(deps))],
      { path: join(dir, "c.sock") },
    );
    channel = new Channel(join(dir, "c.sock"));
    client = connectContainerd(channel, "test");
  });
  afterEach(async () => {
    channel.close();
    await server.close(0);
    await rm(dir, { recursive: true });
  });
  const registry = packAny(OCIRegistrySchema, { reference: "127.0.0.1:1/x:1", resolver: { authStream: "auth" } });
  const store = packAny(ImageStoreSchema, { name: "x" });

  it("refuses pairs that nobody can transfer between", async () => {
    await assert.rejects(client.transfer.transfer({ source: packAny(ContainerPathSchema, {}), destination: store }), {
      name: "NotImplemented",
      message:
        "method Transfer not implemented for containerd.types.transfer.ContainerPath to containerd.types.transfer.ImageStore",
    });
    await assert.rejects(client.transfer.transfer({ source: registry, destination: registry }), {
      name: "NotImplemented",
    });
    await assert.rejects(client.transfer.transfer({}), { name: "InvalidArgument" });
  });

  it("needs the streams that a call names", async () => {
    await assert.rejects(
      client.transfer.transfer({ source: registry, destination: store, options: { progressStream: "none" } }),
      {
        name: "NotFound",
        message: 'failed to get stream "none": not found',
      },
    );
    await assert.rejects(new ClientStream(client, "").opened.promise, { name: "InvalidArgument" });
    const one = new ClientStream(client, "twice");
    await one.opened.promise;
    await assert.rejects(new ClientStream(client, "twice").opened.promise, { name: "AlreadyExists" });
  });

  it("sends progress in order, asks for credentials, and ends the streams", async () => {
    const progress = new ClientStream(client, "progress");
    const auth = new ClientStream(client, "auth");
    await Promise.all([progress.opened.promise, auth.opened.promise]);
    auth.onMessage = (message) => {
      assert.equal(unpackAny(message, AuthRequestSchema)?.host, "127.0.0.1:1");
      auth.send(packAny(AuthResponseSchema, { authType: AuthType.CREDENTIALS, username: "u", secret: "p" }));
    };
    pull = async (source, call) => {
      for (const number of [1, 2, 3])
        call.progress({ event: "waiting", name: `layer-${number}`, progress: number, total: 9 });
      // Nothing listens there: the registry cannot even be asked who it is.
      await source.registry.resolve(source.reference);
      return [];
    };
    await assert.rejects(
      client.transfer.transfer({ source: registry, destination: store, options: { progressStream: "progress" } }),
      {
        name: "Unavailable",
        message: /connection refused/,
      },
    );
    await Promise.all([progress.ended, auth.ended]);
    assert.deepEqual(
      progress.received.map((message) => unpackAny(message, ProgressSchema)?.name),
      ["layer-1", "layer-2", "layer-3"],
    );
  });

  it("ends a pull whose client goes away", async () => {
    const ended = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    pull = (_, call) => {
      started.resolve();
      call.signal.addEventListener("abort", () => ended.resolve());
      return new Promise(() => undefined);
    };
    const abort = new AbortController();
    const source = packAny(OCIRegistrySchema, { reference: "example.org/x:1" });
    const call = client.transfer.transfer({ source, destination: store }, { signal: abort.signal });
    await started.promise;
    abort.abort();
    await assert.rejects(call, { name: "Canceled" });
    await ended.promise;
  });

  it("passes bytes from one stream to another within their windows", async () => {
    const source = new ClientStream(client, "in");
    const target = new ClientStream(client, "out");
    await Promise.all([source.opened.promise, target.opened.promise]);
    const content = Buffer.alloc(200_000, 5);
    source.onMessage = (message) => {
      if ((unpackAny(message, WindowUpdateSchema)?.update ?? 0) < content.length || source.received.length > 1) return;
      for (let at = 0; at < content.length; at += 32_768)
        source.send(packAny(DataSchema, { data: content.subarray(at, at + 32_768) }));
      source.send(undefined);
    };
    let left = 65_536;
    let got = 0;
    target.onMessage = (message) => {
      const size = unpackAny(message, DataSchema)?.data.length ?? 0;
      assert.ok(size <= 32_768 && size <= left);
      left += 65_536 - size;
      got += size;
      target.send(packAny(WindowUpdateSchema, { update: 65_536 }));
    };
    target.send(packAny(WindowUpdateSchema, { update: 65_536 }));
    await client.transfer.transfer({
      source: packAny(ImageImportStreamSchema, { stream: "in" }),
      destination: packAny(ImageExportStreamSchema, { stream: "out" }),
    });
    await target.ended;
    assert.equal(got, content.length);
  });
});
