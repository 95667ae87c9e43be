import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, fuzz } from "@longshore/fuzz";
import { BadArchive } from "../tar/errors.ts";
import type { EntryType } from "../tar/header.ts";
import { formatPaxRecord } from "../tar/pax.ts";
import { encodeEntry, encodeHeader, endOfArchive, tarHeader } from "../tar/writer.ts";
import { metaHeader, stream, withSum } from "../testing/tars.ts";
import { applyLayer } from "./apply.ts";

const names = [
  "a",
  "a/b",
  "a/b/c",
  "../x",
  "/",
  "./",
  "..",
  "a/../../secret",
  "/secret",
  "",
  "a\xff",
  "d/",
  ".wh.a",
  ".wh..wh..opq",
  "a/.wh.b",
  ".wh..",
  "n".repeat(300),
  "d/".repeat(50),
] as const;
const types = ["file", "link", "symlink", "char", "block", "directory", "fifo"] as const;
const records: [[string, string], ...[string, string][]] = [
  ["path", "../../secret"],
  ["path", "p"],
  ["path", "a\0b"],
  ["linkpath", "/"],
  ["size", "5"],
  ["size", "-1"],
  ["size", "99999999999999999999"],
  ["uid", "4294967296"],
  ["uid", "-5"],
  ["gid", "x"],
  ["mtime", "1.5"],
  ["mtime", "-99999999999999"],
  ["mtime", "9e9"],
  ["atime", "1"],
  ["SCHILY.xattr.user.x", "1"],
  ["SCHILY.xattr.trusted.overlay.opaque", "y"],
  ["SCHILY.xattr.", ""],
  ["GNU.sparse.major", "1"],
  ["GNU.sparse.major", "0"],
  ["GNU.sparse.realsize", "10"],
  ["GNU.sparse.realsize", "-1"],
  ["GNU.sparse.map", "0,5"],
  ["GNU.sparse.map", "0,5,3"],
  ["GNU.sparse.name", "../s"],
  ["GNU.sparse.offset", "0"],
  ["GNU.sparse.numbytes", "9007199254740991"],
];

/** An entry, and what may stand before it; a few bytes of its header may be others. */
function randomEntry(random: Random): Buffer {
  const before: Buffer[] = [];
  while (random.chance(0.3)) {
    const body = Buffer.concat(
      Array.from({ length: random.int(0, 3) }, () => formatPaxRecord(...random.pick(records))),
    );
    before.push(
      metaHeader(
        random.pick(["x", "x", "g", "L", "K"]),
        random.chance(0.9) ? body : Buffer.from(random.pick(["5", "99 a=b\n", "6 =b\n", "\0"])),
      ),
    );
  }
  const type: EntryType = random.pick(types);
  const header = tarHeader({
    name: random.pick(names),
    type,
    linkname: random.pick(names),
    mode: random.int(0, 0o7777),
    uid: random.int(0, 5),
    devMajor: random.int(0, 5000),
    devMinor: random.int(0, 300),
  });
  const data = Buffer.alloc(type === "file" ? random.int(0, 1500) : 0, "data");
  let entry = type === "file" ? encodeEntry(header, data) : encodeHeader(header);
  if (random.chance(0.3)) {
    entry = withSum(entry, (block) => {
      for (let changes = random.int(1, 4); changes > 0; changes--)
        block[random.int(0, 511)] = random.pick([0, 0x20, 0x2f, 0x30, 0x37, 0x53, 0x80, 0xff]);
    });
  }
  return Buffer.concat([...before, entry]);
}

describe("layers of any kind", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "apply-fuzz-"));
    writeFileSync(join(dir, "secret"), "keep");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("are unpacked inside their root or refused as archives", async function () {
    this.timeout(0);
    const outcomes = { unpacked: 0, refused: 0 };
    await fuzz(150, async (random) => {
      const entries = Buffer.concat([
        ...Array.from({ length: random.int(1, 6) }, () => randomEntry(random)),
        endOfArchive,
      ]);
      const tar = random.chance(0.9) ? entries : entries.subarray(0, random.int(0, entries.length));
      const root = join(dir, "outer/root");
      mkdirSync(root, { recursive: true });
      try {
        await applyLayer(stream(tar, random.pick([1 << 20, 511, 1000])), {
          root,
          whiteouts: random.pick(["overlay", "remove"]),
          lowers: [],
          syncFs: false,
        });
        outcomes.unpacked++;
      } catch (error) {
        assert.ok(error instanceof BadArchive, error as Error);
        assert.doesNotMatch(error.message, /TypeError|RangeError|ERR_/);
        outcomes.refused++;
      }
      assert.deepEqual([readdirSync(dir).toSorted(), readdirSync(join(dir, "outer"))], [["outer", "secret"], ["root"]]);
      assert.equal(readFileSync(join(dir, "secret"), "utf8"), "keep");
      rmSync(root, { recursive: true });
    });
    assert.ok(
      process.env["LONGSHORE_FUZZ_ROUNDS"] !== undefined || Math.min(outcomes.unpacked, outcomes.refused) > 10,
      JSON.stringify(outcomes),
    );
  });
});
