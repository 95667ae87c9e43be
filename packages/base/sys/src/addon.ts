import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Where the compiled addon lies: in this package's build folder, or beside the executable when
 * the program was compiled into one file, whose modules have no place on the disk.
 */
function addonPath(): string {
  // import.meta would say where the source lay when it was compiled
  const compiled = process.argv[1]?.startsWith("/$bunfs/") === true;
  return compiled ? join(dirname(process.execPath), "sys.node") : join(import.meta.dirname, "../build/sys.node");
}

const path = addonPath();

/** The raw entry points; every module of this package names those it wraps. */
export const addon: unknown = createRequire(path)(path);
