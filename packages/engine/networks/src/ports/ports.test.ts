import assert from "node:assert/strict";
import { formatPort } from "@longshore/docker-api";
import { PortAllocator } from "./allocator.ts";
import { portWishes } from "./bindings.ts";

describe("ports", () => {
  const both = ["0.0.0.0", "::"];

  it("gives each port once, wildcards and addresses in each other's way", () => {
    const ports = new PortAllocator({ begin: 100, end: 103 });
    assert.equal(ports.request(both, "tcp", { begin: 80, end: 80 }), 80);
    assert.throws(() => ports.request(["127.0.0.1"], "tcp", { begin: 80, end: 80 }), {
      message: "Bind for 0.0.0.0:80 failed: port is already allocated",
    });
    assert.equal(ports.request(both, "udp", { begin: 80, end: 80 }), 80);
    assert.equal(ports.request(["127.0.0.1"], "tcp", { begin: 81, end: 81 }), 81);
    assert.equal(ports.request(["127.0.0.2"], "tcp", { begin: 81, end: 81 }), 81);
    assert.throws(() => ports.request(both, "tcp", { begin: 81, end: 81 }), /Bind for 127\.0\.0\.1:81 failed/);
    for (const ip of both) ports.release(ip, "tcp", 80);
    assert.equal(ports.request(["127.0.0.1"], "tcp", { begin: 80, end: 80 }), 80);
  });

  it("goes round in the ephemeral range, passing over what others have", () => {
    const ports = new PortAllocator({ begin: 100, end: 103 });
    const next = (avoid: number[] = []) => ports.request(both, "tcp", undefined, new Set(avoid));
    assert.equal(next(), 100);
    ports.release("0.0.0.0", "tcp", 100);
    ports.release("::", "tcp", 100);
    assert.equal(next(), 101);
    assert.equal(next([102]), 103);
    assert.equal(next(), 100);
    assert.equal(next(), 102);
    assert.throws(() => next(), /all ports are allocated/);
    assert.equal(ports.request(both, "tcp", { begin: 103, end: 104 }), 104);
  });

  it("serves narrow wishes first", () => {
    const wishes = portWishes(
      { "90/tcp": [{ HostIp: "", HostPort: "8000-8001" }], "91/tcp": [{ HostIp: "127.0.0.1", HostPort: "8000" }] },
      ["90/tcp", "92/udp"],
      true,
      both,
    );
    assert.deepEqual(
      wishes.map((wish) => [formatPort(wish), wish.hostIps, wish.range]),
      [
        ["91/tcp", ["127.0.0.1"], { begin: 8000, end: 8000 }],
        ["90/tcp", both, { begin: 8000, end: 8001 }],
        ["92/udp", both, undefined],
      ],
    );
    assert.throws(() => portWishes({ "80/tcp": [{ HostIp: "", HostPort: "90-80" }] }, [], false, both), {
      message: 'invalid port specification: "90-80"',
    });
    assert.throws(() => portWishes({ "80/foo": [{ HostIp: "", HostPort: "" }] }, [], false, both), {
      message: "unknown protocol",
    });
  });
});
