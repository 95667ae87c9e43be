import assert from "node:assert/strict";
import { type Address, hostAndPort, parseAddress } from "./address.ts";

describe("-H addresses", () => {
  const cases: [string, Address][] = [
    ["", { scheme: "unix", path: "/var/run/docker.sock" }],
    ["unix://", { scheme: "unix", path: "/var/run/docker.sock" }],
    ["unix:///a b", { scheme: "unix", path: "/a b" }],
    ["tcp://", { scheme: "tcp", host: "localhost", port: 2375 }],
    ["tcp://:1", { scheme: "tcp", host: "localhost", port: 1 }],
    ["127.0.0.1:23751", { scheme: "tcp", host: "127.0.0.1", port: 23751 }],
    ["localhost", { scheme: "tcp", host: "localhost", port: 2375 }],
    ["tcp://[::1]:5", { scheme: "tcp", host: "::1", port: 5 }],
    ["fd://", { scheme: "fd", name: "" }],
    ["fd://3", { scheme: "fd", name: "3" }],
  ];
  for (const [text, address] of cases)
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseAddress(text), address));

  it("takes the port of TLS when TLS is on", () => {
    assert.deepEqual(parseAddress("tcp://0.0.0.0", true), { scheme: "tcp", host: "0.0.0.0", port: 2376 });
  });

  // Recorded from dockerd 28.5.
  const refused: [string, string][] = [
    ["bogus://x", "unsupported proto 'bogus'"],
    ["http://127.0.0.1:1", "unsupported proto 'http'"],
    ["tcp://[::1]:1/path", "should not contain a path element"],
    ["tcp:/127.0.0.1:1", "should not contain a path element"],
    ["tcp://127.0.0.1:x", 'parse "tcp://127.0.0.1:x": invalid port ":x" after host'],
  ];
  for (const [text, reason] of refused)
    it(`refuses ${text}`, () =>
      assert.throws(() => parseAddress(text), { message: `invalid bind address (${text}): ${reason}` }));

  it("writes IPv6 addresses in brackets", () => assert.equal(hostAndPort({ host: "::1", port: 2 }), "[::1]:2"));
});
