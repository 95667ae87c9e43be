import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { silent } from "@longshore/log";
import { run } from "../run.ts";
import { ProxyClient } from "./client.ts";
import type { ProxyPort } from "./protocol.ts";

describe("the userland proxy's client", () => {
  it("ends a proxy that hangs and has its work done by another", async function () {
    this.timeout(30_000);
    const dir = mkdtempSync(join(tmpdir(), "longshore-proxy-"));
    const container = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
    await once(container, "listening");
    const { port: containerPort } = container.address() as { port: number };
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: hostPort } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const port: ProxyPort = { proto: "tcp", hostIp: "127.0.0.1", hostPort, containerIp: "127.0.0.1", containerPort };
    const path = join(dir, "proxy.sock");
    const processes = async () => (await run("pgrep", ["-f", path])).split("\n").filter(Boolean);
    const client = new ProxyClient(path, () => [port], () => client.reconcile(), silent, 500);
    try {
      await client.publish(port);
      const [hanging = ""] = await processes();
      process.kill(Number(hanging), "SIGSTOP");
      await client.publish(port);
      assert.equal(await text(connect(hostPort, "127.0.0.1")), "hello");
      const now = await processes();
      assert.equal(now.length, 1);
      assert.notEqual(now[0], hanging);
    } finally {
      client.close();
      for (const pid of await processes()) process.kill(Number(pid), "SIGKILL");
      container.close();
      rmSync(dir, { recursive: true });
    }
  });
});
