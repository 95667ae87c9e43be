import { readFileSync } from "node:fs";

/** The last error in a runtime's JSON log, which is the reason of its failure. */
export function lastError(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  for (const line of text.trimEnd().split("\n").toReversed()) {
    const message = errorIn(line);
    if (message !== undefined) return message;
  }
  return undefined;
}

function errorIn(line: string): string | undefined {
  try {
    const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
    return level === "error" || level === "fatal" ? msg : undefined;
  } catch {
    return undefined; // the runtime was killed in the middle of a line
  }
}
