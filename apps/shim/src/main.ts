import { writeSync } from "node:fs";
import { messageOf } from "@longshore/errdefs";
import { compress } from "./compress.ts";
import { remove } from "./delete.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { info } from "./info.ts";
import { ownArguments } from "./self.ts";
import { serve } from "./server.ts";
import { start } from "./start.ts";
import { version } from "./version.ts";

/** Whether the process goes on after its action. */
async function main(flags: Flags): Promise<"ends" | "serves"> {
  if (flags.version) writeSync(1, `containerd-shim-longshore-v2:\n  Version: ${version}\n`);
  else if (flags.info) await info();
  else if (flags.action === "compress") await compress(flags.rest[0]!);
  else {
    if (flags.namespace === "") throw new Error("shim namespace cannot be empty");
    if (flags.action === "start") await start(flags);
    else if (flags.action === "delete") await remove(flags);
    else {
      await serve(flags);
      return "serves";
    }
  }
  return "ends";
}

/** Bytecode has no await at the top. */
function run(): void {
  let flags: Flags;
  try {
    flags = parseFlags(ownArguments());
  } catch (error) {
    return fail(error);
  }
  main(flags).then((how) => (how === "ends" ? process.exit(0) : undefined), fail);
}

function fail(error: unknown): void {
  writeSync(2, `containerd-shim-longshore-v2: ${messageOf(error)}\n`);
  process.exit(1);
}

run();
