import { stripVTControlCharacters } from "node:util";

/** Each rule takes away what differs between two runs of the same command. */
const rules: readonly [RegExp, string][] = [
  // The four random characters may end in a hyphen or look like a duration.
  [/(?<!\w)\d{6,}-[\w-]{4}(?![\w-])/g, "{random}"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [+-]\d{4} \w+|Z|[+-]\d\d:\d\d)?/g, "{time}"],
  [/elapsed: *[\d.]+ *\w+.*/g, "elapsed"],
  // How far ctr has read its progress when the transfer ends is chance.
  [/(Pushing|Completed push) to OCI Registry/g, "push to OCI Registry"],
  [/(Pulling|Completed pull) from OCI Registry/g, "pull from OCI Registry"],
  [/^(.*(index|manifest|config|layer) \(\w+\))\s.*$/g, "$1"],
  [/\b(\d+h)?(\d+m)?[\d.]+(ns|µs|ms|s)\b/g, "{duration}"],
  [/\b\d+ (seconds?|minutes?) ?(ago)?/g, "{age}"],
  [/About a (second|minute)|Less than a second/g, "{age}"],
  [/\/snapshots\/\d+\//g, "/snapshots/{n}/"],
  // Drawn trees and bars.
  [/[│├└─|+]+/g, " "],
  [/\s+/g, " "],
];

/** Labels are printed in the order of a Go map, which is chance. */
function sortLabels(line: string): string {
  return line.replace(/\S+=\S*,\S+=\S*/g, (labels) => labels.split(",").toSorted().join(","));
}

/**
 * The lines of an output without times, counters, `names` and column widths. Of a progress display only the
 * last state counts, and the order of its lines does not: they come as they are fetched.
 */
export function normalize(output: string, names: readonly (readonly [string | RegExp, string])[]): string[] {
  const named = names.reduce(
    (text, [name, placeholder]) => text.replaceAll(name, placeholder),
    stripVTControlCharacters(output),
  );
  const lines = named
    .split("\n")
    .map((line) => sortLabels(rules.reduce((text, [from, to]) => text.replace(from, to), line).trim()))
    .filter(
      (line) =>
        line !== "" && !/msg="(failed to get content info|active check failed)" error="context canceled"$/.test(line),
    );
  const ends = lines.flatMap((line, index) => (line.includes("elapsed") ? [index + 1] : []));
  const end = ends.at(-1);
  return end === undefined ? lines : [...lines.slice(ends.at(-2) ?? 0, end).toSorted(), ...lines.slice(end)];
}
