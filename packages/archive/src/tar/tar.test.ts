import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync, writeSync, openSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf, paddingOf, type TarHeader } from "./header.ts";
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
      tarHeader({ name: Buffer.from("grüße").toString("latin1"), uid: 4_000_000, gid: 2_097_152, mtime: { sec: 1_700_000_000, nsec: 120 } }),
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
      for (const key of ["name", "type", "linkname", "mode", "uid", "gid", "mtime", "devMajor", "devMinor", "xattrs"] as const) {
        assert.deepEqual(header[key], expected[key], `${key} of ${expected.name}`);
      }
    }
  });

  it("writes what GNU tar lists", () => {
    const archive = Buffer.concat([
      encodeEntry(tarHeader({ name: `${"x".repeat(120)}/${"y".repeat(120)}`, mode: 0o640, mtime: { sec: 1_000_000_000, nsec: 5 } }), Buffer.from("hello")),
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
    assert.throws(() => parse(Buffer.from("not a tar at all ".repeat(100))), { message: "archive/tar: invalid tar header" });
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
    const pax = encodeHeader({ ...tarHeader({ name: "x", size: body.length }) });
    pax.write("x", 156);
    pax.fill(0x20, 148, 156);
    pax.write(`${pax.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
    const archive = Buffer.concat([pax, body, Buffer.alloc(paddingOf(body.length)), encodeEntry(tarHeader({ name: "s" }), Buffer.alloc(10)), endOfArchive]);
    assert.throws(() => parse(archive), { message: "archive/tar: invalid tar header" });
  });

  it("writes PAX records whose length counts itself", () => {
    for (const size of [1, 5, 90, 91, 92, 93, 94, 990, 991, 992, 993]) {
      const record = formatPaxRecord("path", "p".repeat(size));
      assert.deepEqual(parsePax(record), [["path", "p".repeat(size)]]);
    }
  });

  it("keeps nanoseconds on both sides of 1970", () => {
    for (const time of [{ sec: 0, nsec: 1 }, { sec: -1, nsec: 999_999_999 }, { sec: -1, nsec: 0 }, { sec: 5, nsec: 0 }]) {
      assert.deepEqual(parsePaxTime(formatPaxTime(time)), time);
    }
    assert.equal(bytesOf("\xff").length, 1);
  });
});
