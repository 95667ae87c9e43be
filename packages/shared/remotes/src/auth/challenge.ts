/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const filler = /[\s,]*/y;

/** Reads the challenges of WWW-Authenticate headers (RFC 9110 §11.6.1); parts that make no sense are passed over. */
export function parseChallenges(headers: readonly string[]): Challenge[] {
  return headers.flatMap(parseHeader);
}

function parseHeader(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  }
  while (at < header.length) {
    take(filler);
    const word = take(token)?.[0];
    if (word === undefined) break;
    if (header[at] !== "=") {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    at += 1;
    const value = take(quoted)?.[1]?.replace(/\\(.)/g, "$1") ?? take(token)?.[0];
    const current = challenges.at(-1);
    if (value === undefined || current === undefined) break;
    current.parameters[word.toLowerCase()] = value;
  }
  return challenges;
}
