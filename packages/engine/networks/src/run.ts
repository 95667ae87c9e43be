import { Unknown } from "@longshore/errdefs";
import { Child } from "@longshore/sys";

/** A program of the host that ended with an error; the message is what it said. */
export class CommandFailed extends Unknown {
  readonly stderr: string;

  constructor(file: string, stderr: string) {
    super(`${file}: ${stderr.trim()}`);
    this.stderr = stderr;
  }
}

/**
 * Runs a program with `input` and answers its output.
 * @throws CommandFailed with its messages when it does not end with 0
 */
export async function run(file: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Child(file, args);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A program that ends before it has read all leaves EPIPE here; its exit code says what happened.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  await child.closed();
  const { exitCode: code, signalCode: signal } = child;
  if (code !== 0)
    throw new CommandFailed(
      file,
      Buffer.concat(err).toString() || (signal === null ? `exit code ${code}` : `killed by ${signal}`),
    );
  return Buffer.concat(out).toString();
}
