import { readFileSync, statSync } from "node:fs";

/**
 * The names of the host's users, read again when the file has changed. What was known stays so while the file
 * cannot be read: a name is no reason to fail.
 */
export class UserNames {
  readonly #path: string;
  #stamp = "";
  #names = new Map<number, string>();

  constructor(path = "/etc/passwd") {
    this.#path = path;
  }

  of(uid: number): string | undefined {
    try {
      const { ino, size, mtimeMs } = statSync(this.#path);
      const stamp = `${ino} ${size} ${mtimeMs}`;
      if (stamp !== this.#stamp) {
        this.#names = parse(readFileSync(this.#path, "utf8"));
        this.#stamp = stamp;
      }
    } catch {
      // No descriptor is left, or the file is being replaced.
    }
    return this.#names.get(uid);
  }
}

/** The first entry of a number counts, as for getpwuid(3). */
function parse(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name = "", , uid = ""] = line.split(":");
    if (/^\d+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}
