import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { silent } from "@longshore/logger";
import { proxyProgram } from "../testing/proxy-program.ts";
import { ProxyClient } from "./client.ts";
import type { PublishedPort } from "@longshore/proxy-api";

/** Empty for a process that has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function processesWith(path: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && commandOf(name).includes(path))
    .map(Number);
}

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
    const port: PublishedPort = {
      proto: "tcp",
      hostIp: "127.0.0.1",
      hostPort,
      containerIp: "127.0.0.1",
      containerPort,
    };
    const path = join(dir, "proxy.sock");
    const processes = () => processesWith(path);
    const client = new ProxyClient(
      proxyProgram,
      path,
      () => [port],
      () => client.reconcile(),
      silent,
      2000,
    );
    try {
      await client.publish(port);
      const [hanging = 0] = processes();
      assert.notEqual(hanging, 0);
      process.kill(hanging, "SIGSTOP");
      await client.publish(port);
      assert.equal(await text(connect(hostPort, "127.0.0.1")), "hello");
      const now = processes().filter((pid) => pid !== hanging);
      assert.equal(now.length, 1);
    } finally {
      await client.close();
      for (const pid of processes()) process.kill(pid, "SIGKILL");
      container.close();
      rmSync(dir, { recursive: true });
    }
  });

  it("makes requests that build on each other again from the first on, when the proxy ends in their midst", async function () {
    this.timeout(30_000);
    const dir = mkdtempSync(join(tmpdir(), "longshore-proxy-"));
    const path = join(dir, "proxy.sock");
    const client = new ProxyClient(
      proxyProgram,
      path,
      () => [],
      () => Promise.resolve(),
      silent,
    );
    const asked: { first: number; second: number }[] = [];
    try {
      await client.together(async (ask) => {
        await ask({ op: "list" });
        const [first = 0] = processesWith(path);
        if (asked.length === 0) process.kill(first, "SIGSTOP");
        const answer = ask({ op: "list" });
        asked.push({ first, second: 0 });
        if (asked.length === 1) process.kill(first, "SIGKILL");
        await answer;
        asked[asked.length - 1] = { first, second: processesWith(path)[0] ?? 0 };
      });
      const [lost, next] = asked;
      assert.equal(asked.length, 2);
      assert.equal(lost?.second, 0);
      assert.notEqual(next?.first, lost?.first);
      assert.equal(next?.second, next?.first);
    } finally {
      await client.close();
      for (const pid of processesWith(path)) process.kill(pid, "SIGKILL");
      rmSync(dir, { recursive: true });
    }
  });
});
