import { InvalidArgument } from "@longshore/errdefs";

/**
 * The error for a filter that cannot be parsed, with the offending character marked as containerd
 * marks it: `[before >|c|< after]`.
 * @param position index in `input`; at or past its end nothing is marked
 */
export function parseError(input: string, position: number, problem: string): InvalidArgument {
  const at = input.codePointAt(position);
  let shown = `[${input}]`;
  if (at !== undefined) {
    const char = String.fromCodePoint(at);
    shown = `[${input.slice(0, position)} >|${char}|< ${input.slice(position + char.length)}]`;
  }
  return new InvalidArgument(`filters: parse error: ${shown}: ${problem}: invalid argument`);
}
