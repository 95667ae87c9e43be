import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "./engine/shared.ts";
import { formatTranscript, parseTranscripts, replay, type Transcript } from "./transcripts/transcript.ts";

const folder = join(import.meta.dirname, "transcripts");
/** Writes down what is printed, by the real engine that LONGSHORE_TEST_HOST names. */
const recording = process.env["LONGSHORE_RECORD"] !== undefined && process.env["LONGSHORE_TEST_HOST"] !== undefined;

/** What the transcripts make is called `tr-…`. */
async function clear(): Promise<void> {
  const list = async (...args: string[]) => (await shared.ok(args)).split("\n").filter((name) => name !== "");
  const containers = await list("ps", "-aq", "--filter", "name=^/?tr-");
  if (containers.length > 0) await shared.ok(["rm", "-f", "-v", ...containers]);
  const volumes = await list("volume", "ls", "-q", "--filter", "name=^tr-");
  if (volumes.length > 0) await shared.ok(["volume", "rm", ...volumes]);
}

for (const file of readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
  const path = join(folder, file);
  describe(`as the real engine: ${file.slice(0, -".txt".length)}`, () => {
    const recorded: Transcript[] = [];
    let dir: string;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "e2e-transcript-"));
      // What others left unused would be listed, counted and pruned with ours.
      await shared.ok(["volume", "prune", "-a", "-f"]);
    });
    afterEach(async () => {
      await clear();
      rmSync(dir, { recursive: true });
    });
    after(async () => {
      await shared.docker(["rmi", "-f", "tr-image"]);
      if (!recording) return;
      const [head = ""] = readFileSync(path, "utf8").split(/^## /m);
      writeFileSync(path, `${head}${recorded.map(formatTranscript).join("\n")}`);
    });
    for (const transcript of parseTranscripts(path)) {
      it(transcript.title, async () => {
        const replayed = await replay(shared, transcript, dir);
        if (recording) recorded.push(replayed);
        else assert.equal(formatTranscript(replayed), formatTranscript(transcript));
      });
    }
  });
}
