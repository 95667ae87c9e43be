import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "@longshore/errdefs";
import { loadConfig } from "./config.ts";
import { parseFlags } from "./flags.ts";

const recorded = readFileSync(join(import.meta.dirname, "testdata/validate-28.5.tsv"), "utf8");

/** What is answered otherwise on purpose, by the file's text. */
const ours: Record<string, RegExp> = {
  // What its start refuses, and so does ours: it is told before.
  '{"storage-driver":"nosuch"}': /storage driver nosuch is not supported/,
  '{"bip":"10.0.0.1/24","bridge":"b0"}': /you specified -b & --bip/,
  // The files of TLS are looked at later, before anything is touched.
  '{"tlsverify":true}': /configuration OK/,
  '{"tlsverify":false}': /configuration OK/,
  '{"tls":true}': /configuration OK/,
  // A number's spelling is lost.
  '{"max-concurrent-downloads":1e2}': /configuration OK/,
  '{"max-concurrent-downloads":1e400}': /cannot unmarshal number/,
  '{"max-concurrent-downloads":99999999999999999999}':
    /cannot unmarshal number 100000000000000000000 into Go struct field Config.max-concurrent-downloads of type int$/,
  // Go's decoder forgets in which of nested types it is.
  '{"builder":{"gc":{"enabled":"x"}}}': /into Go struct field Config.builder.gc.enabled of type bool$/,
  '{"builder":{"GC":{"policy":[{"all":"x"}]}}}':
    /into Go struct field Config.builder.(gc|GC).policy.0.all of type bool$/,
  '{"labels":[1]}': /cannot unmarshal number into .*labels.0 of type string$/,
  '{"dns":[1]}': /cannot unmarshal number into .*dns.0 of type string$/,
  '{"host-gateway-ips":[1]}': /cannot unmarshal number into .*host-gateway-ips.0 of type string$/,
  '{"default-address-pools":{}}': /cannot unmarshal object into .* of type \[\]\*ipamutils.NetworkToSplit$/,
  '{"default-address-pools":[1]}': /cannot unmarshal number into .*\.0 of type ipamutils.NetworkToSplit$/,
  '{"default-address-pools":[{"base":1}]}': /cannot unmarshal number into Go struct field .*\.0\.base of type/,
  '{"default-address-pools":[{"base":"10.0.0.0/8","size":"24"}]}':
    /cannot unmarshal string into Go struct field .*\.0\.size of type int$/,
  // What follows a whole value is named by the parser.
  '{"debug":true} x': /^UNABLE: invalid JSON: /,
};

describe("daemon.json as dockerd 28.5 judges it", () => {
  let path = "";
  before(async () => (path = join(await mkdtemp(join(tmpdir(), "validate-")), "daemon.json")));
  after(() => rm(join(path, ".."), { recursive: true }));

  for (const row of recorded.split("\n").filter((line) => line !== "" && !line.startsWith("#"))) {
    const [json = "", args = "", answer = ""] = row.split("\t");
    it(`${json} ${args}`, async () => {
      await writeFile(path, json);
      const said = await (async () =>
        loadConfig(parseFlags(["--config-file", path, ...args.split(" ").filter(Boolean)])))().then(
        () => "configuration OK",
        (error: unknown) => messageOf(error),
      );
      const expected = ours[json] ?? answer;
      const shown = said
        .replace(`unable to configure the Docker daemon with file ${path}: `, "UNABLE: ")
        .replace("merged configuration validation from file and command line flags failed: ", "MERGED: ")
        .replaceAll(path, "FILE")
        .replaceAll("\n", "|");
      if (expected instanceof RegExp) assert.match(shown, expected);
      else assert.equal(shown, expected);
    });
  }
});
