import assert from "node:assert/strict";
import { decode, encode } from "dns-packet";
import { localAnswers } from "./answer.ts";
import { encodeAnswer, readQuery } from "./message.ts";
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
  zones.put({
    id: "n2",
    name: "back",
    internal: true,
    members: [{ containerId: "c3", names: ["db"], addresses: ["10.1.0.2"] }],
  });

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

  it("asks a container's first network first, by priority, then those that lead outside, then by name", () => {
    const two = new Zones();
    const network = (id: string, internal: boolean, address: string, priority = 0) =>
      two.put({
        id,
        name: id,
        internal,
        members: [
          { containerId: "asker", names: ["me"], addresses: [`${address}9`], priority },
          { containerId: id, names: ["db"], addresses: [address] },
        ],
      });
    network("a-internal", true, "10.0.0.1");
    network("b", false, "10.0.1.1");
    network("c", false, "10.0.2.1");
    assert.deepEqual(two.addresses("asker", "db", 4), ["10.0.1.1"]);
    assert.deepEqual(two.addresses("asker", "db.a-internal", 4), ["10.0.0.1"]);
    network("c", false, "10.0.2.1", 1);
    assert.deepEqual(two.addresses("asker", "db", 4), ["10.0.2.1"]);
  });

  it("reads names with dots as names in a network as well, and a container's own aliases first", () => {
    const dotted = new Zones();
    const members = [
      { containerId: "c", names: ["me"], addresses: ["10.0.0.9"], links: { db: "real.db" } },
      { containerId: "d", names: ["real.db"], addresses: ["10.0.0.2"] },
      { containerId: "e", names: ["db"], addresses: ["10.0.0.3"] },
    ];
    dotted.put({ id: "n", name: "Net.Work", internal: false, members });
    for (const name of ["db", "DB", "db.net.work", "real.db", "real.db.NET.work"])
      assert.deepEqual(dotted.addresses("c", name, 4), ["10.0.0.2"], name);
    assert.deepEqual(dotted.addresses("e", "db", 4), ["10.0.0.3"]);
    assert.equal(dotted.addresses("c", "db.work", 4), undefined);
  });

  it("knows nobody in a network without names, but that it leads outside", () => {
    const bridge = new Zones();
    bridge.put({
      id: "b",
      name: "bridge",
      internal: false,
      members: [{ containerId: "c", names: [], addresses: ["172.17.0.2"] }],
    });
    assert.ok(bridge.mayForward("c"));
    assert.equal(bridge.pointer("c", "2.0.17.172.in-addr.arpa"), undefined);
  });

  const message = (name: string, more: object = {}) =>
    encode({ type: "query", id: 7, flags: 0x110, questions: [{ type: "A", name }], ...more });
  const query = (name: string, more: object = {}) => {
    const read = readQuery(message(name, more));
    assert.ok(read && !Buffer.isBuffer(read));
    return read;
  };

  it("answers with what was asked, and as much as UDP carries", () => {
    const web = query("Web");
    const answer = decode(encodeAnswer(web, localAnswers(zones, "c2", web.question) ?? assert.fail(), true));
    assert.equal(answer.id, 7);
    assert.equal(answer.questions?.[0]?.name, "Web");
    assert.deepEqual(
      answer.answers?.map((record) => [record.name, "data" in record ? record.data : ""]),
      [["Web", "10.0.0.2"]],
    );
    assert.ok(answer.flag_ra && answer.flag_rd && answer.flag_cd && !answer.flag_aa);
    const six = { ...web, question: { ...web.question, type: "AAAA" as const } };
    assert.deepEqual(
      decode(encodeAnswer(six, localAnswers(zones, "c2", six.question) ?? assert.fail(), true)).answers?.map(
        (record) => "data" in record && record.data,
      ),
      ["fd01::2"],
    );
    assert.equal(localAnswers(zones, "c2", query("elsewhere.example").question), undefined);
    const many = { type: "A" as const, data: Array.from({ length: 60 }, (_, i) => `10.0.1.${i}`) };
    const counts = (asked: typeof web, overUdp: boolean) => {
      const { flag_tc, answers } = decode(encodeAnswer(asked, many, overUdp));
      return [flag_tc, answers?.length];
    };
    assert.deepEqual(counts(web, true), [true, 30]);
    assert.deepEqual(counts(web, false), [false, 60]);
    const opt = { type: "OPT", name: ".", udpPayloadSize: 800, flags: 0, options: [] };
    assert.deepEqual(counts(query("Web", { additionals: [opt] }), true), [true, 48]);
    assert.ok(encodeAnswer(query("Web", { additionals: [opt] }), many, true).length <= 800);
    const reverse = decode(encodeAnswer(query("2.0.0.10.in-addr.arpa"), { type: "PTR", data: ["web.front"] }, true));
    assert.deepEqual(
      reverse.answers?.map((record) => "data" in record && record.data),
      ["web.front"],
    );
  });

  it("refuses what is no query as Docker does", () => {
    const said = (input: Buffer) => {
      const result = readQuery(input);
      return Buffer.isBuffer(result) ? result.toString("hex") : typeof result;
    };
    const flags = (bits: number) => {
      const changed = message("web", { flags: 0x100 });
      changed.writeUInt16BE(bits, 2);
      return changed;
    };
    const plain = flags(0x100);
    assert.equal(said(message("web", { flags: 0x100, questions: [] })), "000781010000000000000000");
    assert.equal(
      said(message("web", { flags: 0x100, questions: [1, 2].map(() => ({ type: "A", name: "web" })) })),
      "000781010000000000000000",
    );
    assert.equal(said(flags(0x1100)), "000791040000000000000000");
    assert.equal(said(flags(0x2900)), "0007a9040000000000000000");
    assert.equal(said(plain.subarray(0, 16)), "000781010000000000000000");
    const longLabel = Buffer.concat([
      plain.subarray(0, 12),
      Buffer.of(64),
      Buffer.alloc(64, 97),
      Buffer.of(0, 0, 1, 0, 1),
    ]);
    assert.equal(said(longLabel), "000781010000000000000000");
    for (const silent of [flags(0x8100), plain.subarray(0, 12), Buffer.from("abc")])
      assert.equal(said(silent), "undefined");
  });

  it("frames messages over TCP, however they are cut", () => {
    const got: string[] = [];
    const take = framed((message) => got.push(message.toString()));
    for (const byte of Buffer.concat([frame(Buffer.from("one")), frame(Buffer.from("two"))])) take(Buffer.of(byte));
    assert.deepEqual(got, ["one", "two"]);
  });
});
