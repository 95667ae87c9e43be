import { parsePlain } from "@longshore/go-json";
/** Names whose values are nobody's business. */
const secretName = /pass(?:word|wd|phrase)?|secret|token|auth|credential|api[_-]?key|private[_-]?key/i;
const hidden = "[hidden]";

/** `user:password@` before the host of a URL; a user alone may be a token. */
const userInfo = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#@"']+@/gi;

/**
 * What stands between a name and its value: `password=x`, `"secret":"x"`, `token: x`; `--token x`, too, for options. A
 * colon alone is none: `auth:1.2` is an image, `/secrets:/run/secrets` a mount.
 */
const assigns = /(?:["']?\s{0,3}=\s{0,3}|["']\s{0,3}:\s{0,3}|:\s{1,3})["']?/y;
const follows = /\s{1,3}["']?/y;
const oneWord = /[^\s,;&"']+/y;
/** A header's value may have several words: `Authorization: Bearer x`. */
const restOfLine = /[^"'\n]+/y;

function endAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** Where the value of a secret's name begins and ends; undefined when none follows it. */
function valueBehind(text: string, name: string, at: number): [from: number, to: number] | undefined {
  const assigned = endAt(assigns, text, at);
  const from = assigned < 0 && name.startsWith("-") ? endAt(follows, text, at) : assigned;
  const to = from < 0 ? -1 : endAt(/^authorization$/i.test(name) ? restOfLine : oneWord, text, from);
  return to < 0 ? undefined : [from, to];
}

/** Text that is no secret itself, without those that stand in it. */
export function redactText(text: string): string {
  const without = text.replaceAll(userInfo, `$1${hidden}@`);
  const words = /[\w-]+/g;
  let out = "";
  let done = 0;
  for (let match = words.exec(without); match !== null; match = words.exec(without)) {
    const value = secretName.test(match[0]) ? valueBehind(without, match[0], words.lastIndex) : undefined;
    if (value === undefined) continue;
    out += without.slice(done, value[0]) + hidden;
    done = words.lastIndex = value[1];
  }
  return out + without.slice(done);
}

/** `NAME=value` of an environment keeps its name only. */
function nameOnly(entry: unknown): unknown {
  if (typeof entry !== "string") return hidden;
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : `${entry.slice(0, equals)}=${hidden}`;
}

/** A command's words: what follows an option for a secret is one. */
function redactWords(words: readonly unknown[]): unknown[] {
  const names = (word: unknown): boolean =>
    typeof word === "string" && /^--?[\w-]+$/.test(word) && secretName.test(word);
  return words.map((word, index) => (names(words[index - 1]) ? hidden : redact(word)));
}

/** Fields whose members are all values of somebody else's: environments, and a build's arguments. */
function isEnvironment(key: string): boolean {
  return /^(?:env|buildargs)$/i.test(key);
}

/** A request's body without what may be secret: passwords, tokens, values of environment variables. @param key the field that has this value */
export function redact(value: unknown, key = ""): unknown {
  if (Array.isArray(value))
    return isEnvironment(key) ? value.map(nameOnly) : secretName.test(key) ? hidden : redactWords(value);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, isEnvironment(key) ? hidden : redact(member, name)]),
    );
  }
  if (value === null || value === undefined || value === "") return value;
  if (secretName.test(key)) return hidden;
  return typeof value === "string" ? redactText(value) : value;
}

/** Instructions of a Dockerfile: `ENV` and `ARG` keep what they name, not what it is. */
function redactInstructions(text: string): string {
  const lines = text.replaceAll(/\\\r?\n/g, " ").split("\n");
  return lines
    .map((line) => {
      const [, word = "", rest = ""] = /^\s*(\S+)\s*(.*)$/s.exec(line) ?? [];
      if (!/^(?:env|arg)$/i.test(word)) return redactText(line);
      // The old form is one variable: `ENV NAME any text`.
      const [, old] = /^([^\s=]+)\s/.exec(rest) ?? [];
      const names =
        old === undefined
          ? [...rest.matchAll(/(?:^|\s)([^\s="']+)=(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*/g)].map(
              ([, name]) => name ?? "",
            )
          : [old];
      return `${word} ${names.map((name) => `${name}=${hidden}`).join(" ")}`;
    })
    .join("\n");
}

function redactParameter(name: string, value: string): string {
  if (/^changes$/i.test(name)) return redactInstructions(value);
  if (value !== "" && secretName.test(name)) return hidden;
  if (!/^[[{]/.test(value)) return redactText(value);
  try {
    return JSON.stringify(redact(parsePlain(value), name));
  } catch {
    return redactText(value);
  }
}

/** The parameters of a query, as the engine reads them, without what may be secret. */
export function redactQuery(query: string): string {
  return new URLSearchParams(
    [...new URLSearchParams(query)].map(([name, value]): [string, string] => [name, redactParameter(name, value)]),
  ).toString();
}
