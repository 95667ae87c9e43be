import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { fromHumanSize, parseBool, parseInteger } from "@longshore/go-values";

/** How the shim keeps a log's files. */
export interface LogRotation {
  /** Bytes; undefined: a file grows without limit. */
  maxSize: number | undefined;
  maxFiles: number | undefined;
  compress: boolean | undefined;
}

const parseCount = (text: string): number => parseInteger(text, "Atoi");

function prefixed<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgument(`${prefix}${messageOf(error)}`, { cause: error });
  }
}

function jsonFileRotation(options: Record<string, string>): LogRotation {
  const { "max-size": size, "max-file": files, compress: packed } = options;
  const maxSize = size === undefined ? undefined : fromHumanSize(size);
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
  const maxSize = prefixed(`invalid value for max-size: ${size}: `, () => fromHumanSize(size));
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
