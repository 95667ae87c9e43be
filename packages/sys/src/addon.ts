import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Where the compiled addon lies: in this package's build folder, or beside the executable when
 * the program was compiled into one file, whose modules have no place on the disk.
 */
function addonPath(): string {
  const compiled = import.meta.url.includes("$bunfs");
  return compiled ? join(dirname(process.execPath), "sys.node") : fileURLToPath(new URL("../build/sys.node", import.meta.url));
}

const path = addonPath();

/** The raw entry points; every module of this package names those it wraps. */
export const addon: unknown = createRequire(path)(path);
