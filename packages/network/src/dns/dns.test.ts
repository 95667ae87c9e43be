import assert from "node:assert/strict";
import { decode, encode } from "dns-packet";
import { encodeAnswer, localAnswers, readQuery } from "./answer.ts";
import { frame, framed } from "./upstream.ts";
import { reverseName, Zones } from "./zone.ts";

describe("embedded DNS", () => {
  const zones = new Zones();
  zones.put({
    id: "n1",
    name: "front",
    internal: false,
    members: [
      { containerId: "c1", names: ["web", "www"], addresses: ["10.0.0.2", "fd01::2"] },
      { containerId: "c2", names: ["Web2", "www"], addresses: ["10.0.0.3"] },
    ],
  });
  zones.put({ id: "n2", name: "back", internal: true, members: [{ containerId: "c3", names: ["db"], addresses: ["10.1.0.2"] }] });

  it("knows names, aliases and reverse names of a container's own networks only", () => {
    assert.deepEqual(zones.addresses("c1", "WEB2", 4), ["10.0.0.3"]);
    assert.deepEqual(zones.addresses("c1", "www.front", 4)?.length, 2);
    assert.deepEqual(zones.addresses("c2", "web2", 6), []);
    assert.equal(zones.addresses("c1", "db", 4), undefined);
    assert.equal(zones.addresses("c9", "web", 4), undefined);
    assert.equal(zones.pointer("c2", "2.0.0.10.in-addr.arpa"), "web.front");
    assert.equal(zones.pointer("c2", reverseName("fd01::2") ?? ""), "web.front");
    assert.ok(zones.mayForward("c1"));
    assert.ok(!zones.mayForward("c3"));
  });

  it("answers questions, and cuts what UDP does not carry", () => {
    const ask = (name: string) => readQuery(encode({ type: "query", id: 7, flags: 0x100, questions: [{ type: "A", name }] }))!;
    const query = ask("web");
    const answer = decode(encodeAnswer(query, localAnswers(zones, "c2", query.question) ?? [], true));
    assert.equal(answer.id, 7);
    assert.deepEqual(answer.answers?.map((record) => ("data" in record ? record.data : "")), ["10.0.0.2"]);
    assert.equal(localAnswers(zones, "c2", ask("elsewhere.example").question), undefined);
    const many = Array.from({ length: 60 }, (_, i) => ({ type: "A" as const, name: "web", ttl: 1, data: `10.0.1.${i}` }));
    assert.ok(decode(encodeAnswer(query, many, true)).flag_tc);
    assert.equal(decode(encodeAnswer(query, many, false)).answers?.length, 60);
    assert.equal(readQuery(Buffer.from("no packet")), undefined);
  });

  it("frames messages over TCP, however they are cut", () => {
    const got: string[] = [];
    const take = framed((message) => got.push(message.toString()));
    for (const byte of Buffer.concat([frame(Buffer.from("one")), frame(Buffer.from("two"))])) take(Buffer.of(byte));
    assert.deepEqual(got, ["one", "two"]);
  });
});
