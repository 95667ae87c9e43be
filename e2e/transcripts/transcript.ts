import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Longshore } from "../engine/longshore.ts";
import { tool } from "../engine/tools.ts";
import { exec } from "../host/exec.ts";

/** Shell lines and what the real engine's stock client printed for each. */
export interface Transcript {
  title: string;
  steps: { line: string; prints: string }[];
}

/**
 * Reads a file of transcripts: `## title`, then `$ line` and below it what was printed, `[n]` for an exit code that is not 0.
 * Lines before the first title say what the file is.
 */
export function parseTranscripts(path: string): Transcript[] {
  const transcripts: Transcript[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const current = transcripts.at(-1);
    const step = current?.steps.at(-1);
    if (line.startsWith("## ")) transcripts.push({ title: line.slice(3), steps: [] });
    else if (line.startsWith("$ ")) current?.steps.push({ line: line.slice(2), prints: "" });
    else if (step !== undefined && line !== "") step.prints += `${line}\n`;
  }
  return transcripts;
}

export function formatTranscript({ title, steps }: Transcript): string {
  return `## ${title}\n${steps.map(({ line, prints }) => `$ ${line}\n${prints}`).join("")}`;
}

/**
 * Runs a transcript's lines with bash, `docker` being the stock client of this engine and `$DIR` a folder, `$API`
 * curl on the engine's socket.
 * @returns the same lines with what they print now; ids, times, and paths that differ from run to run have names
 */
export async function replay(engine: Longshore, { title, steps }: Transcript, dir: string): Promise<Transcript> {
  const root = await engine.ok(["info", "-f", "{{.DockerRootDir}}"]);
  const socket = engine.host.slice("unix://".length);
  const env = { ...engine.clientEnv(), DIR: dir, PATH: `${dirname(tool("docker"))}:${process.env["PATH"] ?? ""}`, API: `curl -s --unix-socket ${socket}` };
  const named = (text: string): string =>
    text
      .replaceAll(root, "<root>")
      .replaceAll(dir, "<dir>")
      .replaceAll(/\b[0-9a-f]{64}\b/g, "<id>")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replaceAll(/^Run 'docker .*$/gm, "")
      .replaceAll(/[ \t]+$/gm, "")
      .replaceAll(/^\n+|\n(?=\n)/g, "");
  const replayed: Transcript = { title, steps: [] };
  for (const { line } of steps) {
    const { code, stdout, stderr } = await exec("bash", ["-c", line], { env });
    const printed = [stdout, stderr].map((text) => text.replace(/\n*$/, "\n")).join("");
    replayed.steps.push({ line, prints: named(`${printed}${code === 0 ? "" : `[${code}]\n`}`).replace(/^\n/, "") });
  }
  return replayed;
}
