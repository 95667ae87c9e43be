import { type Arguments, argumentReaders } from "./arguments.ts";
import { takeFlags } from "./builder-flags.ts";
import type { Heredoc } from "./heredoc.ts";
import type { Lines } from "./source-error.ts";

/** One instruction of a Dockerfile as it was written, its continued lines joined. */
export interface Statement {
  /** As written: `run`, `RUN`. */
  keyword: string;
  flags: string[];
  arguments: Arguments;
  /** The instruction within `ONBUILD`. */
  nested?: Statement;
  /** The joined line. */
  original: string;
  heredocs: Heredoc[];
  lines: Lines;
  /** The comment lines right before it, without `#`. */
  comments: string[];
}

/** Keywords whose arguments may begin here-documents. */
const takesHeredocs = new Set(["add", "copy", "run"]);
/** `ONBUILD` within `ONBUILD` is refused later; until then this is as deep as anybody may write it. */
const deepest = 10;

/** Reads one joined line. @throws Error with BuildKit's words */
export function parseStatement(original: string, escape: string, lines: Lines, depth = 0): Statement {
  const match = /^([^\t\v\f\r ]*)(?:[\t\v\f\r ]+(.*))?$/su.exec(original.trim());
  const keyword = match?.[1] ?? "";
  const { flags, rest } = takeFlags(match?.[2] ?? "", escape);
  const statement: Statement = {
    keyword,
    flags,
    arguments: { form: "none" },
    original,
    heredocs: [],
    lines,
    comments: [],
  };
  const name = keyword.toLowerCase();
  const body = rest.trim();
  if (name === "onbuild") {
    if (body === "") return statement;
    if (depth >= deepest) throw new Error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    return { ...statement, nested: parseStatement(body, escape, lines, depth + 1) };
  }
  return { ...statement, arguments: argumentReaders[name]?.(body, escape) ?? { form: "none" } };
}

export function mayHoldHeredocs(statement: Statement): boolean {
  const inner = statement.nested ?? statement;
  return takesHeredocs.has(inner.keyword.toLowerCase()) && inner.arguments.form !== "exec";
}
