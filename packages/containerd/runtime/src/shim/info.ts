import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { NotImplemented, Unknown, wrap } from "@longshore/errdefs";
import { packAny, unpackAny } from "@longshore/proto";
import { RuntimeInfoSchema, RuntimeRequestSchema } from "@longshore/proto/containerd/types/types";
import { resolveShim } from "./binary.ts";
import { startProcess } from "./command.ts";

/** Far more than the features of any runtime take up. */
const maxBytes = 16 << 20;

/**
 * Asks a shim (`-info`) what it and its runtime can do.
 * @param request a packed RuntimeRequest
 * @returns a packed RuntimeInfo
 * @throws NotImplemented for another request, Unknown when the shim is not installed or fails
 */
export async function runtimeInfo(request: Any, shimDirs: readonly string[], signal: AbortSignal): Promise<Any> {
  const asked = unpackAny(request, RuntimeRequestSchema);
  if (asked === undefined) throw new NotImplemented(`unknown request type ${request.typeUrl}: not implemented`);
  const binary = await resolveShim(asked.runtimePath, shimDirs).catch((error: unknown) => {
    throw wrap("failed to resolve runtime path", error);
  });
  const options =
    asked.options === undefined ? new Uint8Array() : toBinary(AnySchema, create(AnySchema, asked.options));
  return packAny(RuntimeInfoSchema, fromBinary(RuntimeInfoSchema, await ask(binary, options, signal)));
}

async function ask(binary: string, input: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  const child = startProcess(binary, ["-info"], {});
  const kill = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let size = 0;
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => {
      output[name].push(chunk);
      size += chunk.length;
      if (size > maxBytes) kill();
    });
  child.stdin.end(input);
  await child.closed();
  signal.removeEventListener("abort", kill);
  if (child.exitCode === 0) return Buffer.concat(output.stdout);
  const how = child.signalCode === null ? `exit status ${child.exitCode}` : `signal: ${child.signalCode}`;
  throw new Unknown(
    `failed to run ${binary}: ${how} (stderr: ${JSON.stringify(Buffer.concat(output.stderr).toString())})`,
  );
}
