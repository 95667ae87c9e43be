import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { Unavailable } from "@longshore/errdefs";
import { type LogMessage, timeOf } from "@longshore/logging";
import type { DriverContext, LogDriver } from "../contract.ts";
import { UnixDatagramWire } from "../wire/datagram.ts";
import { wireTarget } from "../wire/wire-target.ts";

const socket = "/run/systemd/journal/socket";
const priority = { stdout: 6, stderr: 3 } as const;

/** A field's name as the journal takes it: A to Z, digits and underscores, none of these at the front. */
function fieldName(name: string): string {
  return [...name.toUpperCase()]
    .map((character) => (/[A-Z0-9]/.test(character) ? character : "_"))
    .join("")
    .replace(/^_+/, "");
}

/** systemd's native journal protocol: a text with newlines is behind its length. */
function field(name: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  if (!bytes.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), bytes, Buffer.from("\n")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")]);
}

/** A message's fields, those of its container included. */
export function journalEntries({ attributes, info, tag }: DriverContext): (message: LogMessage) => Buffer[] {
  const about = Object.entries({
    CONTAINER_ID: info.ContainerID.slice(0, 12),
    CONTAINER_ID_FULL: info.ContainerID,
    CONTAINER_NAME: info.ContainerName.replace(/^\//, ""),
    CONTAINER_TAG: tag,
    IMAGE_NAME: info.ContainerImageName,
    SYSLOG_IDENTIFIER: tag,
    // Tells the numbers of this connection from others'.
    CONTAINER_LOG_EPOCH: randomBytes(32).toString("hex"),
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [fieldName(name), value])),
  }).map(([name, value]) => field(name, value));
  let ordinal = 0;
  return ({ line, partial, stream, timeNano }) => [
    Buffer.concat([
      ...about,
      field("PRIORITY", String(priority[stream])),
      field("MESSAGE", line),
      field("SYSLOG_TIMESTAMP", timeOf(timeNano)),
      field("CONTAINER_LOG_ORDINAL", String(++ordinal)),
      ...(partial === undefined
        ? []
        : [
            field("CONTAINER_PARTIAL_ID", partial.id),
            field("CONTAINER_PARTIAL_ORDINAL", String(partial.ordinal)),
            field("CONTAINER_PARTIAL_LAST", String(partial.last)),
            ...(partial.last ? [] : [field("CONTAINER_PARTIAL_MESSAGE", "true")]),
          ]),
    ]),
  ];
}

/** Lines to systemd's journal. */
export const journald: LogDriver = {
  options: [],
  validate: () => undefined,
  open: async (context) => {
    if (statSync(socket, { throwIfNoEntry: false })?.isSocket() !== true)
      throw new Unavailable("journald is not enabled on this host");
    return wireTarget(new UnixDatagramWire(socket), journalEntries(context), true);
  },
};
