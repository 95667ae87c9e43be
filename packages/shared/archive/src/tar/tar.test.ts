import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { metaHeader, withSum } from "../testing/tars.ts";
import { bytesOf, type TarHeader } from "./header.ts";
import { formatPaxRecord, formatPaxTime, parsePax, parsePaxTime } from "./pax.ts";
import { TarParser } from "./parser.ts";
import { encodeEntry, encodeHeader, endOfArchive, tarHeader } from "./writer.ts";

interface Parsed {
  header: TarHeader;
  data: Buffer;
}

function parse(archive: Buffer, step = archive.length): Parsed[] {
  const parser = new TarParser();
  const entries: Parsed[] = [];
  for (let at = 0; at < archive.length; at += step) {
    for (const event of parser.feed(archive.subarray(at, at + step))) {
      if (event.kind === "entry") entries.push({ header: event.header, data: Buffer.alloc(0) });
      else if (event.kind === "data") {
        const last = entries.at(-1) as Parsed;
        last.data = Buffer.concat([last.data, event.bytes]);
      }
    }
  }
  parser.end();
  return entries;
}

describe("tar", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "tar-"));
  });
  after(() => rmSync(dir, { recursive: true }));

  const gnuTar = (...args: string[]): Buffer => {
    const run = spawnSync("tar", ["-C", dir, "-c", ...args], { maxBuffer: 1 << 28 });
    assert.equal(run.status, 0, run.stderr.toString());
    return run.stdout;
  };

  it("round-trips what ustar cannot hold", () => {
    const entries: TarHeader[] = [
      tarHeader({ name: `${"d".repeat(90)}/${"e".repeat(90)}`, mode: 0o4755 }),
      tarHeader({ name: `${"n".repeat(200)}`, type: "symlink", linkname: "l".repeat(150) }),
      tarHeader({
        name: Buffer.from("grüße").toString("latin1"),
        uid: 4_000_000,
        gid: 2_097_152,
        mtime: { sec: 1_700_000_000, nsec: 120 },
      }),
      tarHeader({ name: "bytes\xff\xfe", mtime: { sec: -2, nsec: 500_000_000 } }),
      tarHeader({ name: "cap", xattrs: new Map([["security.capability", "\x01\x00\x00\x02\n=\xff"]]) }),
      tarHeader({ name: "dir/", type: "directory", mode: 0o1777 }),
      tarHeader({ name: "null", type: "char", devMajor: 1, devMinor: 3 }),
    ];
    const archive = Buffer.concat([...entries.map((header) => encodeHeader(header)), endOfArchive]);
    const parsed = parse(archive, 7);
    assert.equal(parsed.length, entries.length);
    for (const [index, expected] of entries.entries()) {
      const { header } = parsed[index] as Parsed;
      for (const key of [
        "name",
        "type",
        "linkname",
        "mode",
        "uid",
        "gid",
        "mtime",
        "devMajor",
        "devMinor",
        "xattrs",
      ] as const) {
        assert.deepEqual(header[key], expected[key], `${key} of ${expected.name}`);
      }
    }
  });

  it("writes what GNU tar lists", () => {
    const archive = Buffer.concat([
      encodeEntry(
        tarHeader({
          name: `${"x".repeat(120)}/${"y".repeat(120)}`,
          mode: 0o640,
          mtime: { sec: 1_000_000_000, nsec: 5 },
        }),
        Buffer.from("hello"),
      ),
      endOfArchive,
    ]);
    const run = spawnSync("tar", ["-tf", "-"], { input: archive });
    assert.equal(run.stderr.toString(), "");
    assert.equal(run.stdout.toString().trim(), `${"x".repeat(120)}/${"y".repeat(120)}`);
  });

  for (const format of ["gnu", "pax", "ustar", "v7", "oldgnu"]) {
    it(`reads ${format} archives of GNU tar in any chunking`, () => {
      const name = format === "v7" || format === "ustar" ? "short" : "long".repeat(60);
      writeFileSync(join(dir, name), "content");
      utimesSync(join(dir, name), 1000, 1000);
      symlinkSync(name.slice(0, 90), join(dir, `sym-${format}`));
      const archive = gnuTar(`--format=${format}`, name, `sym-${format}`);
      for (const step of [archive.length, 511, 512, 1000]) {
        const [file, link] = parse(archive, step) as [Parsed, Parsed];
        assert.equal(file.header.name, name);
        assert.equal(file.data.toString(), "content");
        assert.equal(file.header.mtime.sec, 1000);
        assert.equal(link.header.linkname, name.slice(0, 90));
        assert.equal(link.header.type, "symlink");
      }
    });
  }

  for (const version of ["0.0", "0.1", "1.0", "gnu"]) {
    it(`reads sparse files, ${version}`, () => {
      const path = join(dir, "sparse");
      const fd = openSync(path, "w");
      for (let index = 0; index < 40; index++) writeSync(fd, `piece ${index}`, index * 1_000_000);
      closeSync(fd);
      truncateSync(path, 50_000_000);
      const format = version === "gnu" ? ["--format=gnu"] : ["--format=pax", `--sparse-version=${version}`];
      const [file] = parse(gnuTar("-S", ...format, "sparse")) as [Parsed];
      assert.equal(file.header.name, "sparse");
      assert.equal(file.header.size, 50_000_000);
      let at = 0;
      for (const chunk of file.header.sparse ?? []) {
        const piece = chunk.offset % 1_000_000 === 0 && chunk.size > 0 ? chunk.offset / 1_000_000 : undefined;
        if (piece !== undefined) assert.match(file.data.toString("latin1", at, at + 10), new RegExp(`^piece ${piece}`));
        at += chunk.size;
      }
      assert.equal(at, file.data.length);
      assert.ok(file.data.length < 1_000_000);
    });
  }

  it("tells a damaged or short archive", () => {
    const archive = Buffer.concat([encodeEntry(tarHeader({ name: "a" }), Buffer.alloc(2000, "x")), endOfArchive]);
    assert.throws(() => parse(Buffer.from("not a tar at all ".repeat(100))), {
      message: "archive/tar: invalid tar header",
    });
    assert.throws(() => parse(archive.subarray(0, 1000)), { message: "unexpected EOF" });
    assert.throws(() => parse(archive.subarray(0, 100)), { message: "unexpected EOF" });
    assert.equal(parse(archive.subarray(0, 512 + 2048)).length, 1);
    const bent = Buffer.from(archive);
    bent[0] = 0x62;
    assert.throws(() => parse(bent), { message: "archive/tar: invalid tar header" });
  });

  it("refuses a sparse map that lies", () => {
    const records = [formatPaxRecord("GNU.sparse.size", "10"), formatPaxRecord("GNU.sparse.map", "0,5,3,5")];
    const body = Buffer.concat(records);
    const archive = Buffer.concat([
      metaHeader("x", body),
      encodeEntry(tarHeader({ name: "s" }), Buffer.alloc(10)),
      endOfArchive,
    ]);
    assert.throws(() => parse(archive), { message: "archive/tar: invalid tar header" });
  });

  it("refuses a name with NUL, and takes a time that no clock shows for none", () => {
    assert.throws(
      () =>
        parse(
          Buffer.concat([
            metaHeader("x", formatPaxRecord("path", "a\0b")),
            encodeEntry(tarHeader({ name: "f" })),
            endOfArchive,
          ]),
        ),
      { message: "archive/tar: invalid tar header" },
    );
    const far = withSum(encodeHeader(tarHeader({ name: "f" })), (block) =>
      Buffer.from([0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]).copy(block, 136),
    );
    assert.deepEqual((parse(Buffer.concat([far, endOfArchive]))[0] as Parsed).header.mtime, { sec: 0, nsec: 0 });
  });

  describe("headers that add up", () => {
    const big = (key: string): Buffer => formatPaxRecord(key, "v".repeat(1_000_000));
    const entry = encodeEntry(tarHeader({ name: "file" }), Buffer.from("x"));

    it("are the last one's records, when several stand before an entry", () => {
      const headers = Array.from({ length: 40 }, (_, index) => metaHeader("x", big(`SCHILY.xattr.user.${index}`)));
      const [file] = parse(Buffer.concat([...headers, entry, endOfArchive])) as [Parsed];
      assert.deepEqual([...file.header.xattrs.keys()], ["user.39"]);
      const names = Array.from({ length: 40 }, (_, index) =>
        metaHeader("L", Buffer.from(`${"n".repeat(1_000_000)}${index}`)),
      );
      assert.equal((parse(Buffer.concat([...names, entry, endOfArchive]))[0] as Parsed).header.name.length, 1_000_002);
    });

    it("are refused when they hold for all entries", () => {
      const comment = metaHeader("g", formatPaxRecord("comment", "c".repeat(500_000)));
      assert.equal(parse(Buffer.concat([...Array.from({ length: 40 }, () => comment), entry, endOfArchive])).length, 1);
      assert.throws(() => parse(Buffer.concat([metaHeader("g", big("a")), metaHeader("g", big("b")), entry])), {
        message: "archive/tar: invalid tar header",
      });
    });

    it("are refused as sparse maps without an end", () => {
      const chunks = Buffer.alloc(512);
      for (let at = 0; at < 21; at++)
        chunks.write(`${at.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0`, at * 24, "latin1");
      chunks[504] = 1;
      const gnu = withSum(encodeHeader(tarHeader({ name: "s" })), (block) => {
        block.write("S", 156, "latin1");
        block.write("00000000012\0", 483, "latin1");
        block.write("ustar  \0", 257, "latin1");
        block[482] = 1;
      });
      assert.throws(() => parse(Buffer.concat([gnu, ...Array.from({ length: 13_000 }, () => chunks)])), {
        message: "archive/tar: invalid tar header",
      });
      const pax = metaHeader(
        "x",
        Buffer.concat(
          [
            ["major", "1"],
            ["minor", "0"],
            ["realsize", "10"],
            ["name", "s"],
          ].map(([key, value]) => formatPaxRecord(`GNU.sparse.${key}`, value as string)),
        ),
      );
      const map = (text: string): Buffer =>
        Buffer.concat([pax, encodeEntry(tarHeader({ name: "s" }), Buffer.from(text))]);
      assert.throws(() => parse(map("99999999\n")), { message: "archive/tar: invalid tar header" });
      assert.throws(() => parse(map(`200000\n${"1\n".repeat(1 << 20)}`)), {
        message: "archive/tar: invalid tar header",
      });
      const started = performance.now();
      assert.throws(() => parse(map(`200000\n${"0\n".repeat(390_000)}`)), {
        message: "archive/tar: invalid tar header",
      });
      assert.ok(performance.now() - started < 3000, "a map is not read anew with each of its blocks");
    });
  });

  it("writes PAX records whose length counts itself", () => {
    for (const size of [1, 5, 90, 91, 92, 93, 94, 990, 991, 992, 993]) {
      const record = formatPaxRecord("path", "p".repeat(size));
      assert.deepEqual(parsePax(record), [["path", "p".repeat(size)]]);
    }
  });

  it("keeps nanoseconds on both sides of 1970", () => {
    for (const time of [
      { sec: 0, nsec: 1 },
      { sec: -1, nsec: 999_999_999 },
      { sec: -1, nsec: 0 },
      { sec: 5, nsec: 0 },
    ]) {
      assert.deepEqual(parsePaxTime(formatPaxTime(time)), time);
    }
    assert.equal(bytesOf("\xff").length, 1);
  });
});
