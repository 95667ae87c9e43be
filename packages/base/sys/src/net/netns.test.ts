import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AF, SOCK, createNetns, removeNetns, socketInNetns, writeInNetns } from "../index.ts";

describe("network namespaces", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-sys-"));
  });
  afterEach(() => {
    removeNetns(join(dir, "ns"));
    rmSync(dir, { recursive: true, force: true });
  });

  it("makes one, opens sockets in it and takes it away", async () => {
    const path = join(dir, "ns");
    const own = readlinkSync("/proc/self/ns/net");
    createNetns(path);
    assert.notEqual(`net:[${statSync(path).ino}]`, own);
    assert.throws(() => createNetns(path), { code: "EEXIST" });
    assert.equal(readlinkSync("/proc/thread-self/ns/net"), own);
    const fd = socketInNetns(path, AF.INET, SOCK.STREAM, 0, { address: "0.0.0.0", port: 80 });
    assert.throws(() => socketInNetns(path, AF.INET, SOCK.STREAM, 0, { address: "10.9.8", port: 1 }), {
      code: "EINVAL",
      syscall: "bind",
      path,
    });
    closeSync(socketInNetns(path, AF.INET6, SOCK.DGRAM));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ fd }, resolve));
    await new Promise((resolve) => server.close(resolve));
    const before = readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8");
    writeInNetns(path, "/proc/sys/net/ipv4/ip_default_ttl", "33");
    assert.equal(readFileSync("/proc/sys/net/ipv4/ip_default_ttl", "utf8"), before);
    assert.equal(
      execFileSync("nsenter", [`--net=${path}`, "cat", "/proc/sys/net/ipv4/ip_default_ttl"]).toString(),
      "33\n",
    );
    assert.throws(() => writeInNetns(path, "/proc/sys/net/ipv4/conf/none/forwarding", "1"), {
      code: "ENOENT",
      syscall: "open",
      path: "/proc/sys/net/ipv4/conf/none/forwarding",
    });
    assert.throws(() => writeInNetns(path, "/proc/sys/net/ipv4/ip_default_ttl", "x"), {
      code: "EINVAL",
      syscall: "write",
    });
    removeNetns(path);
    assert.equal(existsSync(path), false);
    removeNetns(path);
  });
});
