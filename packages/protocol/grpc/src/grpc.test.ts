import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Content, WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { NotFound, isKind, kindOf, messageOf, reasonOf } from "@longshore/errdefs";
import { Channel, type RunningServer, createClient, implement, serve } from "./index.ts";

const unused = (): never => {
  throw new NotFound("no such method here");
};

describe("grpc", () => {
  let dir: string;
  let server: RunningServer;
  let channel: Channel;
  let aborted: Promise<void>;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "grpc-"));
    let markAborted: () => void;
    aborted = new Promise((resolve) => (markAborted = resolve));
    server = await serve(
      [
        implement(Version, {
          version: (_request, context) => ({ version: `v2.1.0-${context.metadata["x-test"]}`, revision: "r" }),
        }),
        implement(Content, {
          info: (request, context) => {
            if (request.digest === "") throw new NotFound("content : not found");
            return { info: { digest: `${context.metadata["x-name"]}/${request.digest}`, size: 5n } };
          },
          update: unused,
          async *list() {
            for (let block = 0; block < 3; block++) yield { info: [{ digest: `d${block}` }] };
          },
          delete: unused,
          async *read(_request, context) {
            context.signal.addEventListener("abort", () => markAborted());
            for (let chunk = 0; ; chunk++) yield { offset: BigInt(chunk), data: new Uint8Array(1 << 20) };
          },
          status: unused,
          listStatuses: unused,
          async *write(requests) {
            let held = 0n;
            for await (const request of requests) {
              held += BigInt(request.data.length);
              yield { action: request.action, offset: held };
              if (request.action === WriteAction.COMMIT) return;
            }
          },
          abort: unused,
        }),
      ],
      { path: join(dir, "s.sock"), mode: 0o660 },
    );
    channel = new Channel(join(dir, "s.sock"));
  });

  after(async () => {
    channel.close();
    await server.close(100);
    rmSync(dir, { recursive: true });
  });

  it("serves on a socket of the asked mode and passes metadata", async () => {
    assert.equal(statSync(join(dir, "s.sock")).mode & 0o777, 0o660);
    const answer = await createClient(channel, Version).version({}, { metadata: { "x-test": "a" } });
    assert.equal(answer.version, "v2.1.0-a");
  });

  it("tells our own clients which error it was, and others nothing that they would show", async () => {
    const path = join(dir, "reasons.sock");
    const failing = await serve(
      [
        implement(Version, {
          version: () => {
            throw new NotFound("nothing here", { reason: "NOTHING_HERE" });
          },
        }),
      ],
      { path },
    );
    const asking = new Channel(path);
    const session = connect("http://localhost", { createConnection: () => createConnection(path) });
    try {
      const error = await createClient(asking, Version)
        .version({})
        .catch((caught: unknown) => caught);
      assert.deepEqual(
        [kindOf(error), reasonOf(error), messageOf(error)],
        ["NotFound", "NOTHING_HERE", "nothing here"],
      );
      const call = session.request({
        ":method": "POST",
        ":path": "/containerd.services.version.v1.Version/Version",
        "content-type": "application/grpc",
        te: "trailers",
      });
      call.resume().end(Buffer.alloc(5));
      const [headers] = (await once(call, "response")) as [Record<string, string>];
      assert.deepEqual([headers["grpc-status"], headers["grpc-status-details-bin"]], ["5", undefined]);
    } finally {
      asking.close();
      session.destroy();
      await failing.close(100);
    }
  });

  it("hands over all values of a repeated key", async () => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const path = join(dir, "repeated.sock");
    const repeated = await serve(
      [
        implement(Version, {
          version: (_request, context) => {
            resolve(context.metadata["x-repeated"]);
            return {};
          },
        }),
      ],
      { path },
    );
    const session = connect("http://localhost", { createConnection: () => createConnection(path) });
    try {
      const call = session.request({
        ...{
          ":method": "POST",
          ":path": "/containerd.services.version.v1.Version/Version",
          "content-type": "application/grpc",
          te: "trailers",
        },
        ...{ "x-repeated": ["inner", "outer"] },
      });
      call.resume().end(Buffer.alloc(5));
      assert.equal(await promise, "inner, outer");
    } finally {
      session.destroy();
      await repeated.close(100);
    }
  });

  it("brings a client's metadata, and errors back as errdefs classes", async () => {
    const content = createClient(channel, Content, { "x-name": "moby" });
    assert.equal((await content.info({ digest: "x" })).info?.digest, "moby/x");
    await assert.rejects(
      content.info({ digest: "" }),
      (error) => isKind(error, "NotFound") && (error as Error).message === "content : not found",
    );
  });

  it("streams from the server and both ways", async () => {
    const content = createClient(channel, Content, { "x-name": "moby" });
    const digests: string[] = [];
    for await (const response of content.list({})) digests.push(...response.info.map((info) => info.digest));
    assert.deepEqual(digests, ["d0", "d1", "d2"]);

    async function* requests() {
      yield { action: WriteAction.WRITE, data: new Uint8Array(10) };
      yield { action: WriteAction.COMMIT, data: new Uint8Array(5) };
    }
    const offsets: bigint[] = [];
    for await (const response of content.write(requests())) offsets.push(response.offset);
    assert.deepEqual(offsets, [10n, 15n]);
  });

  it("tells the server when a client leaves a stream", async () => {
    const content = createClient(channel, Content, { "x-name": "moby" });
    for await (const response of content.read({ digest: "x" })) if (response.offset === 2n) break;
    await aborted;
  });

  it("refuses a socket that is served already", async () => {
    await assert.rejects(serve([], { path: join(dir, "s.sock") }), (error) => isKind(error, "Unavailable"));
  });

  it("leaves no connection behind when it is closed for good", async () => {
    const own = await serve([], { path: join(dir, "own.sock") });
    const client = createConnection(join(dir, "own.sock"));
    await once(client, "connect");
    const closed = once(client.resume(), "close");
    await own.close(0);
    await closed;
  });

  it("lets a thousand connections wait that come at once", async () => {
    // All are asked for in one turn, in which the server, which is this process, accepts none.
    const clients = Array.from({ length: 1000 }, () => createConnection(join(dir, "s.sock")));
    try {
      await Promise.all(clients.map((client) => once(client, "connect")));
    } finally {
      for (const client of clients) client.on("error", () => undefined).destroy();
    }
  });
});
