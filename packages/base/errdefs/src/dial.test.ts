import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { dialText, hostPort, lookupText } from "./dial.ts";

const failing = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });

describe("why nobody could be reached", () => {
  it("is told of a port that nobody listens on, by the address that a name has led to", async () => {
    const socket = connect({ host: "127.0.0.1", port: 1 });
    const [error] = (await once(socket, "error")) as [unknown];
    assert.equal(dialText(error, "tcp", "name:1"), "dial tcp 127.0.0.1:1: connect: connection refused");
    assert.equal(dialText(new AggregateError([error]), "tcp", ""), "dial tcp 127.0.0.1:1: connect: connection refused");
  });

  it("is told of a unix socket that is not there", async () => {
    const [error] = (await once(connect("/nosuch"), "error")) as [unknown];
    assert.equal(dialText(error, "unix", "/nosuch"), "dial unix /nosuch: connect: no such file or directory");
  });

  const known: [what: Error, text: RegExp | string | undefined][] = [
    [failing("ENOTFOUND", { hostname: "x" }), /^dial tcp: lookup x(?: on \S+)?: no such host$/],
    [failing("EAI_AGAIN", { hostname: "x" }), "dial tcp: lookup x: Temporary failure in name resolution"],
    [failing("EHOSTUNREACH", { syscall: "connect" }), "dial tcp h:1: connect: no route to host"],
    [failing("ETIMEDOUT", { syscall: "connect" }), "dial tcp h:1: connect: connection timed out"],
    [
      failing("ECONNREFUSED", { syscall: "connect", errno: -111, address: "::1", port: 2 }),
      "dial tcp [::1]:2: connect: connection refused",
    ],
    [failing("ECONNRESET", { syscall: "read" }), undefined],
    [new Error("else"), undefined],
  ];
  for (const [error, text] of known) {
    it(`${error.message}: ${String(text)}`, () => {
      const said = dialText(error, "tcp", "h:1");
      if (text instanceof RegExp) assert.match(said ?? "", text);
      else assert.equal(said, text);
    });
  }

  it("addresses are written as Go joins them", () => {
    assert.deepEqual([hostPort("::1", 5), hostPort("[::1]", 5), hostPort("h", "")], ["[::1]:5", "[::1]:5", "h:"]);
    assert.match(lookupText("x"), /^lookup x(?: on \S+)?: no such host$/);
  });
});
