import { InvalidArgument, messageOf } from "@longshore/errdefs";

/** What JavaScript says of a pattern that Go refuses as well, and Go's words. */
const words: [javascript: RegExp, go: (pattern: string) => string][] = [
  [/Unterminated character class/, (pattern) => `missing closing ]: \`${pattern.slice(pattern.indexOf("["))}\``],
  [/Unterminated group/, (pattern) => `missing closing ): \`${pattern}\``],
  [/Unmatched '\)'/, (pattern) => `unexpected ): \`${pattern}\``],
  [/at end of pattern/, () => "trailing backslash at end of expression: ``"],
  [/numbers out of order/, (pattern) => `invalid repeat count: \`${/\{\d+,\d+\}/.exec(pattern)?.[0] ?? pattern}\``],
  [
    /Nothing to repeat/,
    (pattern) => {
      const nested = /[*+?]{2,}/.exec(pattern)?.[0].slice(0, 2);
      return nested === undefined ? `missing argument to repetition operator: \`${/[*+?]/.exec(pattern)?.[0] ?? pattern}\`` : `invalid nested repetition operator: \`${nested}\``;
    },
  ],
];

/**
 * A pattern of Go's, for what both languages read alike.
 * @throws InvalidArgument `error parsing regexp: …`
 */
export function goRegexp(pattern: string): RegExp {
  const around = /\(\?<?[=!]/.exec(pattern)?.[0];
  if (around !== undefined) throw new InvalidArgument(`error parsing regexp: invalid or unsupported Perl syntax: \`${around.startsWith("(?<") ? "(?<" : around}\``);
  try {
    return new RegExp(pattern.replaceAll("(?P<", "(?<"));
  } catch (error) {
    const message = messageOf(error);
    const go = words.find(([javascript]) => javascript.test(message))?.[1](pattern) ?? message;
    throw new InvalidArgument(`error parsing regexp: ${go}`, { cause: error });
  }
}
