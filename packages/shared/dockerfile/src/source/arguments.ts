import { quoteText } from "@longshore/go-values";
import { isSpace } from "./builder-flags.ts";

/** `NAME=value` of `ENV`, `LABEL` and their old form `NAME value`. */
export interface Pair {
  key: string;
  value: string;
  /** Whether the old form was used. */
  spaced: boolean;
}

/** What stands behind an instruction's keyword and flags, read by the form that the keyword takes. */
export type Arguments =
  | { form: "none" }
  /** A JSON array of strings: the exec form. */
  | { form: "exec"; values: string[] }
  /** A text for a shell, or of one value with spaces in it. */
  | { form: "text"; text: string }
  | { form: "words"; values: string[] }
  | { form: "pairs"; pairs: Pair[] }
  | { form: "health"; type: string; test: Arguments };

const spaces = /[\t\v\f\r ]+/;

type Reader = (rest: string, escape: string) => Arguments;

/** How each instruction's arguments are read; `ONBUILD` holds a statement and is no matter of this table. */
export const argumentReaders: Readonly<Record<string, Reader>> = {
  add: execOrWords,
  arg: (rest, escape) => listOf(splitQuoted(rest, escape)),
  cmd: execOrText,
  copy: execOrWords,
  entrypoint: execOrText,
  env: (rest, escape) => pairs(rest, "ENV", escape),
  expose: words,
  from: words,
  healthcheck: health,
  label: (rest, escape) => pairs(rest, "LABEL", escape),
  maintainer: text,
  run: execOrText,
  shell: execOrText,
  stopsignal: text,
  user: text,
  volume: execOrWords,
  workdir: text,
};

function text(rest: string): Arguments {
  return rest === "" ? { form: "none" } : { form: "text", text: rest };
}

function words(rest: string): Arguments {
  return rest === "" ? { form: "none" } : { form: "words", values: rest.split(spaces) };
}

function listOf(values: string[]): Arguments {
  return values.length === 0 ? { form: "none" } : { form: "words", values };
}

/** A JSON array, undefined if it is none; what looks like one and is not is taken for text, as users rely on. */
function exec(rest: string): Arguments | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(rest);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  if (!parsed.every((value) => typeof value === "string")) {
    throw new Error("when using JSON array syntax, arrays must be comprised of strings only");
  }
  return { form: "exec", values: parsed.map((value) => value.toWellFormed()) };
}

function execOrText(rest: string): Arguments {
  return exec(rest) ?? text(rest);
}

function execOrWords(rest: string): Arguments {
  return exec(rest) ?? words(rest);
}

function health(rest: string): Arguments {
  const type = /^\P{White_Space}*/u.exec(rest)?.[0] ?? "";
  if (type === "") return { form: "none" };
  return { form: "health", type, test: execOrText(rest.slice(type.length).trimStart()) };
}

function pairs(rest: string, keyword: string, escape: string): Arguments {
  const found = splitQuoted(rest, escape);
  const [first] = found;
  if (first === undefined) return { form: "none" };
  if (!first.includes("=")) {
    const match = /^(.*?)[\t\v\f\r ]+(.*)$/su.exec(rest);
    if (match === null) throw new Error(`${keyword} must have two arguments`);
    return { form: "pairs", pairs: [{ key: match[1]!, value: match[2]!, spaced: true }] };
  }
  return {
    form: "pairs",
    pairs: found.map((word) => {
      const at = word.indexOf("=");
      if (at < 0) {
        throw new Error(`Syntax error - can't find = in ${quoteText(word)}. Must be of the form: name=value`);
      }
      return { key: word.slice(0, at), value: word.slice(at + 1), spaced: false };
    }),
  };
}

/** Splits at spaces outside of quotes; quotes and escapes stay for the expansion that follows. */
function splitQuoted(rest: string, escape: string): string[] {
  const found: string[] = [];
  const characters = [...rest];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (quote === undefined && isSpace(character)) {
      if (word !== undefined && word !== "") found.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) quote = character;
    else if (character === escape && quote !== "'") {
      // At the very end there is nothing to escape.
      if (at + 1 < characters.length) word += character + characters[++at]!;
      continue;
    }
    word += character;
  }
  if (word !== undefined && word !== "") found.push(word);
  return found;
}
