/** `{n}`, `{n,}`, `{n,m}` */
const repeat = /\{(\d+)(,(\d*))?\}/y;

/** Behind the end of the class that starts at `from`. */
function endOfClass(pattern: string, from: number): number {
  let at = pattern[from + 1] === "^" ? from + 2 : from + 1;
  // A bracket that comes first is a member.
  for (let first = true; at < pattern.length; first = false, at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) at = Math.max(at, pattern.indexOf(":]", at));
    else if (pattern[at] === "]" && !first) return at + 1;
  }
  return at;
}

/**
 * About how many instructions a regular expression needs, repetitions written out: told from its text, since an
 * expression of some 2 KB can ask for millions.
 */
export function programSize(pattern: string): number {
  /** The groups that are open: their sizes so far, and the size of the last atom in each. */
  const groups = [{ size: 0, last: 0 }];
  let at = 0;
  while (at < pattern.length) {
    const group = groups.at(-1) ?? { size: 0, last: 0 };
    const char = pattern[at];
    repeat.lastIndex = at;
    const repeated = char === "{" ? repeat.exec(pattern) : null;
    if (repeated !== null) {
      const times = Math.max(Number(repeated[1]), Number(repeated[3] ?? 0), 1) + (repeated[2] === "," ? 1 : 0);
      group.size += group.last * (times - 1);
      group.last *= times;
      at += repeated[0].length;
    } else if (char === "(") {
      groups.push({ size: 2, last: 0 });
      at++;
    } else if (char === ")" && groups.length > 1) {
      groups.pop();
      const outer = groups.at(-1) ?? group;
      outer.size += group.size;
      outer.last = group.size;
      at++;
    } else {
      group.size++;
      if (char !== "*" && char !== "+" && char !== "?") group.last = 1;
      if (char === "[") at = endOfClass(pattern, at);
      else at += char === "\\" ? 2 : 1;
    }
  }
  return groups.reduce((sum, { size }) => sum + size, 0);
}
