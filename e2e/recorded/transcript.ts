import { readFileSync, writeFileSync } from "node:fs";

/** One command of a transcript. */
interface Step {
  /** With its mark: `$ ` for a shell's, `@ ` for one of the player's. */
  command: string;
  /** What the stock engine's clients printed. */
  output: string;
  /** What ours print instead, where the difference is meant; the reason stands in a comment. */
  ours: string | undefined;
  /** Comment lines before it. */
  comments: string[];
}

export interface Section {
  title: string;
  steps: Step[];
}

/**
 * Reads a recorded transcript: `# title` begins a section; `$ ` and `@ ` a command, which `> ` lines
 * continue; lines that follow, indented by two, are what it printed; `~ ` lines what ours prints
 * instead; `// ` a comment.
 */
export function readTranscript(path: string): Section[] {
  const sections: Section[] = [];
  const comments: string[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const section = sections.at(-1);
    const step = section?.steps.at(-1);
    if (line.startsWith("# ")) sections.push({ title: line.slice(2), steps: [] });
    else if (line.startsWith("// ")) comments.push(line);
    else if (/^[$@] /.test(line))
      section?.steps.push({ command: line, output: "", ours: undefined, comments: comments.splice(0) });
    else if (line.startsWith("> ") && step) step.command += `\n${line.slice(2)}`;
    else if (line.startsWith("  ") && step) step.output += `${line.slice(2)}\n`;
    else if (/^~( |$)/.test(line) && step) step.ours = `${step.ours ?? ""}${line.slice(2)}\n`;
    else if (line !== "") throw new Error(`${path}: what is this: ${line}`);
  }
  return sections;
}

const lines = (mark: string, text: string): string =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => `${mark}${line}`)
    .join("\n");

function writeStep({ command, output, ours, comments }: Step): string {
  return [
    ...comments,
    command.replaceAll("\n", "\n> "),
    lines("  ", output),
    ours === undefined ? "" : lines("~ ", ours),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

export function writeTranscript(path: string, sections: readonly Section[]): void {
  writeFileSync(
    path,
    sections.map(({ title, steps }) => `# ${title}\n${steps.map(writeStep).join("\n")}\n`).join("\n"),
  );
}

/** Takes out what is another in each run: ids, times, chosen MAC addresses and unique local prefixes, and whose engine it is. */
export function normalize(text: string, dir: string): string {
  const plain = text
    .replaceAll(dir, "<dir>")
    .replace(/[^\S\n]+$/gm, "")
    .replace(/\n+(?:See|Run) '(docker[^']*) --help' for more information$/gm, "")
    .replace(/\b[0-9a-f]{64}\b/g, "<id>")
    .replace(/\b(?<![:-])[0-9a-f]{12}\b/g, "<id>")
    .replace(/\bveth[0-9a-f]{7}\b/g, "<veth>")
    .replace(/\b(docker|longshore)0\b/g, "<bridge0>")
    .replace(/\d{4}-\d\d-\d\d [\d:.]+ \+0000 UTC/g, "<time>")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g, "<time>")
    .replace(/\b(?!02:42:aa)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>")
    .replace(/\bfd(?!00)[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:/g, "<ula>:")
    .replace(/^\n+/, "")
    .replace(/\n{2,}/g, "\n");
  return plain === "" || plain.endsWith("\n") ? plain : `${plain}\n`;
}
