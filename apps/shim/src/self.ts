import { join } from "node:path";

/** Whether this program is the one file that Bun compiles. */
const compiled = process.argv[1]?.startsWith("/$bunfs/") === true;

/** The arguments that this program itself was started with. */
export function ownArguments(): string[] {
  return process.argv.slice(2);
}

/** The command that starts this program again: compiled it is one file, else a script of Node. */
export function ownCommand(): string[] {
  return compiled ? [process.execPath] : [process.execPath, join(import.meta.dirname, "main.ts")];
}

/** The environment of a server: without its compiler, JavaScriptCore needs a quarter less memory. */
export function serverEnvironment(): Record<string, string | undefined> {
  return { ...process.env, BUN_JSC_useJIT: "0" };
}

/** The environment of programs that are not this one. */
export function plainEnvironment(): Record<string, string | undefined> {
  return { ...process.env, BUN_JSC_useJIT: undefined };
}
