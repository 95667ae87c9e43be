import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import type { Compression } from "./detect.ts";
import { BadArchive } from "../tar/errors.ts";

/** Characters that are kept of what a program complains. */
const maxComplaint = 4096;
/** Memory that xz may take: four times what its highest level needs. */
const memoryLimit = "--memlimit-decompress=256MiB";

/** The program that unpacks what Node itself cannot; Docker runs xz in the same way. */
const programs: Partial<Record<Compression, string>> = { xz: "xz", bzip2: "bzip2" };

/** A stream through a decoder program, which is killed when the stream is given up. */
export function externalDecoder(compression: Compression): Duplex {
  const program = programs[compression];
  if (program === undefined) throw new BadArchive(`unsupported compression format ${compression}`);
  const child = spawn(program, ["-d", "-c", "-q", ...(compression === "xz" ? [memoryLimit] : [])], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (complaint = `${complaint}${text}`.slice(0, maxComplaint)));
  // Its stdin breaks when it stops early; its exit code tells why.
  child.stdin.on("error", () => undefined);
  async function* output(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const exited = new Promise<number | null>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        reject(
          new BadArchive(
            error.code === "ENOENT" ? `exec: "${program}": executable file not found in $PATH` : error.message,
            { cause: error },
          ),
        );
      });
      child.once("close", resolve);
    });
    exited.catch(() => undefined);
    const fed = feed(input);
    fed.catch(() => child.kill("SIGKILL"));
    try {
      yield* child.stdout as AsyncIterable<Buffer>;
      const code = await exited;
      await fed;
      if (code !== 0) throw new BadArchive(`${program}: ${complaint.trim() || `exit status ${code}`}`);
    } finally {
      child.kill("SIGKILL");
    }
  }
  async function feed(input: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of input) {
      if (!child.stdin.writable) return;
      await new Promise<void>((resolve) => child.stdin.write(chunk, () => resolve()));
    }
    child.stdin.end();
  }
  return Duplex.from(output);
}
