import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { DataLoss, messageOf } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { Reader } from "./readers.ts";

/** More than any record has that a daemon wrote; what is larger is none. */
const maxBytes = 32 << 20;

/** A record of its JSON. @throws DataLoss that says what is wrong and where */
export function parseRecord<T>(json: string, read: Reader<T>): T {
  let value: unknown;
  try {
    value = parsePlain(json);
  } catch (error) {
    throw new DataLoss(`not JSON: ${messageOf(error)}`, { cause: error });
  }
  // `null` has no members at all: it is what a write that was lost leaves, not a record of defaults.
  if (value === null) throw new DataLoss("the record is null");
  return read(value, "");
}

/** A record in a file of its own. @throws DataLoss as `parseRecord`, and for what is no file or too large; ENOENT and other errors of the disk as they are */
export async function readRecordFile<T>(path: string, read: Reader<T>): Promise<T> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stat = await file.stat();
  if (!stat.isFile()) throw new DataLoss(`${path} is no file`);
  if (stat.size > maxBytes) throw new DataLoss(`${path} has ${stat.size} bytes, more than a record may have`);
  return parseRecord(await file.readFile("utf8"), read);
}
