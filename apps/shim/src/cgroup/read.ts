import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A control file's content; empty when this kernel or controller has none. */
export function readControl(folder: string | undefined, file: string): string {
  if (folder === undefined) return "";
  try {
    return readFileSync(join(folder, file), "utf8");
  } catch {
    return "";
  }
}

const unlimited = 0xffff_ffff_ffff_ffffn;

/** A single number; `max` stands for no limit. */
export function readNumber(folder: string | undefined, file: string, max = unlimited): bigint {
  const text = readControl(folder, file).trim();
  return text === "max" ? max : /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** Lines of `key value`. */
export function readPairs(folder: string | undefined, file: string): Map<string, bigint> {
  return new Map(
    lines(readControl(folder, file)).flatMap(([key = "", value = ""]) =>
      /^\d+$/.test(value) ? [[key, BigInt(value)] as const] : [],
    ),
  );
}

/** Words of each line. */
export function lines(text: string): string[][] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.trim().split(/\s+/));
}

/** `a=1` words as numbers; `max` stands for no limit. */
export function assignments(words: readonly string[]): Map<string, bigint> {
  return new Map(
    words.map((word) => {
      const [key = "", value = ""] = word.split("=");
      return [key, value === "max" ? unlimited : BigInt(value || 0)] as const;
    }),
  );
}

/** The page sizes that the hugetlb controller counts, as its files name them. */
export function hugepageSizes(folder: string | undefined, suffix: string): string[] {
  if (folder === undefined) return [];
  return readdirSync(folder).flatMap((name) => {
    const match = /^hugetlb\.(\w+)\.(.*)$/.exec(name);
    return match !== null && match[2] === suffix ? [match[1]!] : [];
  });
}

/** One device a line: `mlx4_0 hca_handle=2 hca_object=max`. */
export function readRdma(
  folder: string | undefined,
  file: string,
): { device: string; hcaHandles: number; hcaObjects: number }[] {
  return lines(readControl(folder, file)).map(([device = "", ...words]) => {
    const values = assignments(words);
    const count = (key: string): number => Number(BigInt.asUintN(32, values.get(key) ?? 0n));
    return { device, hcaHandles: count("hca_handle"), hcaObjects: count("hca_object") };
  });
}
