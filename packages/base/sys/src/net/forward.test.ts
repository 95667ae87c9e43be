import assert from "node:assert/strict";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { forwardTcp, forwardUdp } from "../index.ts";

const portOf = (server: Server | UdpSocket) => (server.address() as AddressInfo).port;

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** All that comes; the stream's own helpers would close the other direction, too. */
async function text(socket: Socket): Promise<string> {
  let all = "";
  socket.on("data", (chunk: Buffer) => (all += chunk.toString()));
  await once(socket, "end");
  return all;
}

describe("forwarding", () => {
  const ends: (() => unknown)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  async function listen(serve: (client: Socket) => void, host = "127.0.0.1"): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, serve).listen(0, host);
    ends.push(() => server.close());
    await once(server, "listening");
    return portOf(server);
  }

  async function forwarded(to: number, address = "127.0.0.1"): Promise<number> {
    const port = await freePort();
    ends.push(forwardTcp({ address: "127.0.0.1", port }, { address, port: to }));
    return port;
  }

  it("carries bytes both ways, and each side's end alone", async () => {
    const port = await forwarded(
      await listen((client) => void text(client).then((all) => client.end(`${all.length} ${all.slice(-3)}`))),
    );
    const clients = [0, 1, 2, 3].map(async (index) => {
      const socket = connect({ port, allowHalfOpen: true });
      const answer = text(socket);
      for (let i = 0; i < 64; i++) socket.write("x".repeat(50_000 + index));
      socket.end("end");
      return answer;
    });
    assert.deepEqual(
      await Promise.all(clients),
      [0, 1, 2, 3].map((index) => `${64 * (50_000 + index) + 3} end`),
    );
  });

  it("waits for slow readers and loses nothing", async () => {
    const size = 32 << 20;
    const port = await forwarded(await listen((client) => client.end(Buffer.alloc(size, "y"))), "127.0.0.1");
    const socket = connect(port);
    await once(socket, "connect");
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    let got = 0;
    for await (const chunk of socket) got += (chunk as Buffer).length;
    assert.equal(got, size);
  });

  it("passes a reset on, and closes when nobody listens behind it", async () => {
    const port = await forwarded(await listen((client) => client.once("data", () => client.resetAndDestroy())));
    const socket = connect(port);
    socket.write("reset me");
    await assert.rejects(once(socket, "end"), { code: "ECONNRESET" });
    const nobody = connect(await forwarded(await freePort()));
    nobody.resume();
    await once(nobody, "close");
  });

  it("lets an answer through from a server that takes no more", async () => {
    const port = await forwarded(
      await listen((client) => {
        client.pause();
        client.on("error", () => undefined);
        client.end("enough");
      }),
    );
    const socket = connect({ port, allowHalfOpen: true });
    socket.write("x".repeat(10));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "enough");
    socket.destroy();
  });

  it("frees the port and ends its connections at once; a taken port is refused", async () => {
    const to = await listen(() => undefined);
    const port = await freePort();
    const end = forwardTcp({ address: "127.0.0.1", port }, { address: "127.0.0.1", port: to });
    assert.throws(() => forwardTcp({ address: "127.0.0.1", port }, { address: "127.0.0.1", port: to }), {
      code: "EADDRINUSE",
    });
    const socket = connect(port);
    socket.resume();
    await once(socket, "connect");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // A connection that was not accepted yet is reset by the kernel.
    socket.on("error", () => undefined);
    end();
    await closed;
    ends.push(forwardTcp({ address: "127.0.0.1", port }, { address: "127.0.0.1", port: to }));
  });

  it("brings answers to datagrams from the address that was asked", async () => {
    const server = createSocket("udp4");
    server.on("message", (message, from) => server.send(`${message.toString()} ${from.port}`, from.port, from.address));
    ends.push(() => server.close());
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const probe = createSocket("udp4");
    await new Promise<void>((resolve) => probe.bind(0, "0.0.0.0", resolve));
    const port = portOf(probe);
    probe.close();
    const end = forwardUdp({ address: "0.0.0.0", port }, { address: "127.0.0.1", port: portOf(server) }, 60_000);
    ends.push(end);
    const client = createSocket("udp4");
    ends.push(() => client.close());
    const ask = async (address: string) => {
      client.send("hello", port, address);
      const [answer, from] = (await once(client, "message")) as [Buffer, AddressInfo];
      assert.equal(from.address, address);
      return answer.toString();
    };
    const first = await ask("127.0.0.1");
    assert.match(first, /^hello \d+$/);
    assert.equal(await ask("127.0.0.1"), first);
    assert.notEqual(await ask("127.0.0.3"), first);
  });
});
