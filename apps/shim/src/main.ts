import { writeSync } from "node:fs";
import { messageOf } from "@longshore/errdefs";
import { type Flags, parseFlags } from "./bootstrap/flags.ts";
import { ownArguments } from "./self.ts";

/** Whether the process goes on after its action. Each loads its own code alone: a server lives long. */
async function main(flags: Flags): Promise<"ends" | "serves"> {
  if (flags.version)
    writeSync(1, `containerd-shim-longshore-v2:\n  Version: ${(await import("./version.ts")).version}\n`);
  else if (flags.info) await (await import("./service/info.ts")).info();
  else if (flags.action === "compress") await (await import("./stdio/compress.ts")).compress(flags.rest[0]!);
  else if (flags.action === "prepare") return await (await import("./bootstrap/prepare.ts")).prepare(flags);
  else {
    if (flags.namespace === "") throw new Error("shim namespace cannot be empty");
    if (flags.action === "start") await (await import("./bootstrap/start.ts")).start(flags);
    else if (flags.action === "delete") await (await import("./bootstrap/delete.ts")).remove(flags);
    else {
      const { inherited, serve } = await import("./service/server.ts");
      await serve(flags, inherited());
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
