import { InvalidArgument, messageOf } from "@longshore/errdefs";
import {
  bool as boolShape,
  int as intShape,
  int64 as int64Shape,
  type Shape,
  text as textShape,
} from "@longshore/go-json";
import { decodeMember, type Kind, kind, noFlag } from "./kind.ts";
import { parseBool, parseInteger, ramInBytes } from "@longshore/go-values";

export const text: Kind<string> = kind("string", { shape: textShape, parse: (given) => given });

export const flag: Kind<boolean> = kind("", { shape: boolShape, parse: parseBool });

function integer(shape: Shape<number>): Kind<number> {
  const { read, ...rest } = kind<number>("int", { shape, parse: (given) => parseInteger(given, "ParseInt") });
  return {
    ...rest,
    read(value, path) {
      const number = read(value, path);
      // As text that a double cannot hold, it has become a number that is out of range.
      if (number !== undefined && Math.abs(number) >= 2 ** 63) {
        throw new InvalidArgument(
          `invalid JSON: json: cannot unmarshal number ${String(value)} into Go struct field Config.${path.at(-1)} of type ${shape.go}`,
        );
      }
      return number;
    },
  };
}

export const int = integer(intShape);
export const int64 = integer(int64Shape);

/** `64M`, or a number of bytes. */
export const bytes: Kind<number> = {
  placeholder: "bytes",
  parse: ramInBytes,
  read(value) {
    const size = typeof value === "string" ? sizeOf(value) : value;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0)
      throw new InvalidArgument(`invalid JSON: invalid size: ${JSON.stringify(JSON.stringify(value))}`);
    return size;
  },
};

function sizeOf(value: string): number {
  try {
    return ramInBytes(value);
  } catch (error) {
    throw new InvalidArgument(`invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** What is read and passed over: `shape` is all that it has to be. */
export function checked<T extends object>(shape: Shape<T>): Kind<T> {
  return { placeholder: "", object: true, parse: noFlag, read: (value, path) => decodeMember(path, shape, value) };
}
