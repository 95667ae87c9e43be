import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AF, createNetns, removeNetns, SOCK, socketInNetns } from "@longshore/sys";
import { decode, encode } from "dns-packet";
import type { DnsSandbox } from "@longshore/proxy-api";
import { DnsServer } from "./server.ts";
import { frame } from "./upstream.ts";
import { Zones } from "./zone.ts";

describe("DNS server of a container", () => {
  const containerId = "c".repeat(64);
  const ends: (() => unknown)[] = [];
  let dir: string;
  let netnsPath: string;
  const inside = (...args: string[]) => promisify(execFile)("nsenter", [`--net=${netnsPath}`, "ip", ...args]);

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "longshore-dns-"));
    netnsPath = join(dir, "ns");
    createNetns(netnsPath);
    await inside("link", "set", "lo", "up");
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    removeNetns(netnsPath);
    rmSync(dir, { recursive: true });
  });

  const serve = async (more: Partial<DnsSandbox>, internal = false): Promise<DnsServer> => {
    const zones = new Zones();
    zones.put({ id: "n", name: "n", internal, members: [{ containerId, names: ["me"], addresses: ["10.0.0.2"] }] });
    const server = await DnsServer.open(zones, {
      containerId,
      netnsPath,
      servers: [],
      onHost: false,
      timeoutMs: 4000,
      ...more,
    });
    ends.push(() => server.close());
    return server;
  };

  async function bind(netns: string, address: string, port: number): Promise<UdpSocket> {
    const socket = createSocket("udp4");
    const fd = socketInNetns(netns, AF.INET, SOCK.DGRAM, 0, { address, port });
    await new Promise<void>((resolve) => socket.bind({ fd }, resolve));
    ends.push(() => socket.close());
    return socket;
  }

  /** Answers everything with one address. */
  async function upstream(netns: string, address: string, data: string): Promise<void> {
    const socket = await bind(netns, address, 53);
    socket.on("message", (message, from) => {
      const { id = 0, questions = [] } = decode(message);
      socket.send(
        encode({ type: "response", id, questions, answers: [{ type: "A", name: questions[0]?.name ?? "", data }] }),
        from.port,
        from.address,
      );
    });
  }

  async function ask(server: DnsServer, name: string): Promise<string> {
    const socket = await bind(netnsPath, "0.0.0.0", 0);
    const answer = new Promise<Buffer>((resolve) => socket.once("message", resolve));
    socket.send(encode({ type: "query", id: 1, questions: [{ type: "A", name }] }), server.ports.udp, "127.0.0.11");
    const { answers = [], ...rest } = decode(await answer);
    return (
      answers.map((record) => (record.type === "A" ? record.data : record.type)).join() ||
      String((rest as { rcode?: string }).rcode)
    );
  }

  it("asks servers of the host from there, and given ones from the container", async () => {
    await upstream("/proc/self/ns/net", "127.77.4.1", "192.0.2.1");
    await upstream(netnsPath, "127.77.4.1", "192.0.2.2");
    assert.equal(await ask(await serve({ servers: ["127.77.4.1"], onHost: true }), "x.y"), "192.0.2.1");
    assert.equal(await ask(await serve({ servers: ["127.77.4.1"] }), "x.y"), "192.0.2.2");
  });

  it("asks nobody on the host for a container of internal networks only", async () => {
    await upstream("/proc/self/ns/net", "127.77.4.2", "192.0.2.1");
    await upstream(netnsPath, "127.77.4.2", "192.0.2.2");
    assert.equal(await ask(await serve({ servers: ["127.77.4.2"], onHost: true }, true), "x.y"), "SERVFAIL");
    assert.equal(await ask(await serve({ servers: ["127.77.4.2"] }, true), "x.y"), "192.0.2.2");
  });

  it("goes on to the next server when one is silent", async () => {
    await bind(netnsPath, "127.77.4.3", 53);
    await upstream(netnsPath, "127.77.4.4", "192.0.2.4");
    const server = await serve({ servers: ["127.77.4.3", "127.77.4.4"], timeoutMs: 300 });
    assert.equal(await ask(server, "x.y"), "192.0.2.4");
    assert.equal(await ask(server, "me"), "10.0.0.2");
  });

  it("answers others while a server does not take a connection", async () => {
    await inside("link", "add", "away", "type", "bridge");
    await inside("address", "add", "10.77.4.1/24", "dev", "away");
    await inside("link", "set", "away", "up");
    const server = await serve({ servers: ["10.77.4.2"], timeoutMs: 600 });
    const fd = socketInNetns(netnsPath, AF.INET, SOCK.STREAM, 0, {
      address: "127.0.0.11",
      port: server.ports.tcp,
      connect: true,
    });
    const client = new Socket({ fd });
    ends.push(() => client.destroy());
    const begin = performance.now();
    client.write(frame(encode({ type: "query", id: 1, questions: [{ type: "A", name: "x.y" }] })));
    const answer = new Promise<Buffer>((resolve) => client.once("data", resolve));
    assert.equal(await ask(server, "me"), "10.0.0.2");
    assert.ok(performance.now() - begin < 500);
    assert.equal((decode((await answer).subarray(2)) as { rcode?: string }).rcode, "SERVFAIL");
  });

  it("has the same port each time, unless it is taken", async () => {
    const first = await serve({});
    const { ports } = first;
    await first.close();
    const second = await serve({});
    assert.deepEqual(second.ports, ports);
    assert.notEqual((await serve({})).ports.udp, ports.udp);
  });
});
