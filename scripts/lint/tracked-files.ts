import { execFileSync } from "node:child_process";
import { closeSync, lstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const maxBytes = 1 << 20;
const elf = Buffer.from("\x7fELF", "latin1");

function startsAsProgram(path: string): boolean {
  const head = Buffer.alloc(elf.length);
  const fd = openSync(path, "r");
  try {
    return readSync(fd, head) === elf.length && head.equals(elf);
  } finally {
    closeSync(fd);
  }
}

/** One line for each file that git tracks below `root` and that is over 1 MiB or a compiled program: such files stay in every clone for good. */
export function findUnwanted(root: string): string[] {
  const names = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8", maxBuffer: 64 << 20 })
    .split("\0")
    .filter(Boolean);
  return names.flatMap((name) => {
    const path = join(root, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return [];
    if (stat.size > maxBytes) return [`${name} has ${stat.size} bytes; ${maxBytes} are the most`];
    return startsAsProgram(path) ? [`${name} is a compiled program`] : [];
  });
}
