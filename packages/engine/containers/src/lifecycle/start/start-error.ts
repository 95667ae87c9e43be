import { InvalidArgument, type LongshoreError, messageOf, Unknown } from "@longshore/errdefs";

/** What a failed start means for the container: its exit code, as shells number it, and the answer to the client. */
export function explainStartError(error: unknown): { exitCode: number; error: LongshoreError } {
  const text = messageOf(error).replace(/: unknown$/, "");
  const lower = text.toLowerCase();
  if (/executable file not found|no such file or directory|failed to run runc create\/exec call/.test(lower)) {
    return { exitCode: 127, error: new InvalidArgument(text, { cause: error }) };
  }
  if (lower.includes("permission denied")) return { exitCode: 126, error: new InvalidArgument(text, { cause: error }) };
  if (lower.includes("not a directory")) {
    const hint =
      ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";
    return { exitCode: 127, error: new InvalidArgument(text + hint, { cause: error }) };
  }
  return { exitCode: 128, error: new Unknown(text, { cause: error }) };
}
