import { InvalidArgument, messageOf } from "@longshore/errdefs";

/** How the shim keeps a log's files. */
export interface LogRotation {
  /** Bytes; undefined: a file grows without limit. */
  maxSize: number | undefined;
  maxFiles: number | undefined;
  compress: boolean | undefined;
}

const decimal = 1000;

/**
 * `10m` in bytes, as Docker reads sizes of logs: `k`, `m`, `g`… are powers of 1000.
 * @param base 1024 where Docker counts so, as for buffers
 * @throws InvalidArgument with the real engine's words
 */
export function parseSize(text: string, base = decimal): number {
  const end = text.search(/[^0-9. ]*$/);
  const digits = text.slice(0, end).replace(/ $/, "");
  const suffix = text.slice(end).toLowerCase();
  if (end === 0 || digits.startsWith("-")) throw new InvalidArgument(`invalid size: '${text}'`);
  if (!/^\+?(\d+\.?\d*|\.\d+)$/.test(digits))
    throw new InvalidArgument(
      digits.startsWith("-")
        ? `invalid size: '${text}'`
        : `strconv.ParseFloat: parsing ${JSON.stringify(digits)}: invalid syntax`,
    );
  const power = ["", "k", "m", "g", "t", "p"].indexOf(suffix.replace(/^b$/, "").replace(/(?<=.)i?b$/, ""));
  if (power < 0) throw new InvalidArgument(`invalid suffix: '${suffix}'`);
  return Math.trunc(Number(digits) * base ** power);
}

function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw new InvalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const count = Number(text);
  if (Math.abs(count) > 2 ** 63)
    throw new InvalidArgument(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  return count;
}

function parseBool(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new InvalidArgument(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function prefixed<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgument(`${prefix}${messageOf(error)}`, { cause: error });
  }
}

function jsonFileRotation(options: Record<string, string>): LogRotation {
  const { "max-size": size, "max-file": files, compress: packed } = options;
  const maxSize = size === undefined ? undefined : parseSize(size);
  if (maxSize === 0) throw new InvalidArgument("max-size must be a positive number");
  const maxFiles = files === undefined ? undefined : parseCount(files);
  if (maxFiles !== undefined && maxFiles < 1) throw new InvalidArgument("max-file cannot be less than 1");
  const compress = packed === undefined ? undefined : parseBool(packed);
  if (compress === true && (maxSize === undefined || (maxFiles ?? 1) < 2))
    throw new InvalidArgument("compress cannot be true when max-file is less than 2 or max-size is not set");
  return { maxSize, maxFiles, compress };
}

function localRotation({
  "max-size": size = "20m",
  "max-file": files = "5",
  compress: packed = "true",
}: Record<string, string>): LogRotation {
  const maxSize = prefixed(`invalid value for max-size: ${size}: `, () => parseSize(size));
  const maxFiles = prefixed(`invalid value for max-file: ${files}: `, () => parseCount(files));
  const compress = prefixed("error reading compress log option: ", () => parseBool(packed));
  if (maxFiles < 0) throw new InvalidArgument("max file count cannot be less than 0");
  if (compress && maxFiles < 2) throw new InvalidArgument("compression cannot be enabled when max file count is 1");
  return { maxSize: maxSize === 0 ? undefined : maxSize, maxFiles: Math.max(1, maxFiles), compress };
}

/**
 * Reads the options that say when a log's file is full. As Docker, which learns it when the container starts.
 * @throws InvalidArgument with the real engine's words
 */
export function logRotation(driver: string, options: Record<string, string>): LogRotation {
  if (driver === "local") return localRotation(options);
  return driver === "json-file"
    ? jsonFileRotation(options)
    : { maxSize: undefined, maxFiles: undefined, compress: undefined };
}
