import { randomBytes } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { InvalidArgument, messageOf, Unavailable } from "@longshore/errdefs";
import { parseInteger } from "@longshore/go-values";
import type { LogMessage } from "@longshore/logging";
import type { DriverContext, LogDriver, LogOptions } from "../contract.ts";
import { UdpWire } from "../wire/datagram.ts";
import { StreamWire } from "../wire/stream.ts";
import { parseUrl, splitHostPort } from "../wire/url.ts";
import { wireTarget } from "../wire/wire-target.ts";

const level = { stdout: 6, stderr: 3 } as const;
/** GELF over UDP: so much of a message is in a chunk, and so many chunks it may have. */
const chunkBytes = 1420 - 12;
const maxChunks = 128;

function addressOf(text: string | undefined): { scheme: "udp" | "tcp"; address: string; host: string; port: number } {
  if (text === undefined || text === "") throw new InvalidArgument("gelf-address is a required parameter");
  const { scheme, host: address } = parseUrl(text);
  if (scheme !== "udp" && scheme !== "tcp") throw new InvalidArgument("gelf: endpoint needs to be TCP or UDP");
  try {
    const { host, port } = splitHostPort(address);
    return { scheme, address, host, port: Number(port) };
  } catch (error) {
    throw new InvalidArgument("gelf: please provide gelf-address as proto://host:port", { cause: error });
  }
}

function integerOf(text: string): number | undefined {
  try {
    return parseInteger(text, "Atoi");
  } catch {
    return undefined;
  }
}

function validate(options: LogOptions): void {
  const { scheme } = addressOf(options["gelf-address"]);
  for (const [key, value] of Object.entries(options)) {
    const unknown = new InvalidArgument(
      `unknown value ${JSON.stringify(value)} for log opt ${JSON.stringify(key)} for gelf log driver`,
    );
    const number = integerOf(value) ?? Number.NaN;
    if (key.startsWith("gelf-compression") && scheme !== "udp")
      throw new InvalidArgument("compression is only supported on UDP");
    if (key === "gelf-compression-level" && !(number >= -1 && number <= 9)) throw unknown;
    if (key === "gelf-compression-type" && !["gzip", "zlib", "none"].includes(value)) throw unknown;
    if (!key.startsWith("gelf-tcp-")) continue;
    if (scheme !== "tcp") throw new InvalidArgument(`${JSON.stringify(key)} is only valid for TCP`);
    if (!(number >= 0)) throw new InvalidArgument(`${JSON.stringify(key)} must be a positive integer`);
  }
}

/** A message as JSON, its extra fields told of the container. */
function encoder({ attributes, hostname, info, tag }: DriverContext): (message: LogMessage) => Buffer | undefined {
  const extra = {
    _container_id: info.ContainerID,
    _container_name: info.ContainerName.replace(/^\//, ""),
    _image_id: info.ContainerImageID,
    _image_name: info.ContainerImageName,
    _command: [info.ContainerEntrypoint, ...info.ContainerArgs].join(" "),
    _tag: tag,
    _created: info.ContainerCreated,
    ...Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key.startsWith("_") ? key : `_${key}`, value]),
    ),
  };
  return ({ line, stream, timeNano }) => {
    if (line.length === 0) return undefined;
    const timestamp = Number(timeNano / 1_000_000n) / 1000;
    const message = {
      version: "1.1",
      host: hostname,
      short_message: line.toString(),
      timestamp,
      level: level[stream],
      ...extra,
    };
    return Buffer.from(JSON.stringify(message));
  };
}

function compress(options: LogOptions, message: Buffer): Buffer {
  const type = options["gelf-compression-type"] ?? "gzip";
  if (type === "none") return message;
  const at = Number(options["gelf-compression-level"] ?? "1");
  return type === "zlib" ? deflateSync(message, { level: at }) : gzipSync(message, { level: at });
}

/** A datagram, or chunks of one; none for a message that is too long for them, which Docker drops, too. */
function datagrams(message: Buffer): Buffer[] {
  if (message.length <= chunkBytes) return [message];
  const count = Math.ceil(message.length / chunkBytes);
  if (count > maxChunks) return [];
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, at) =>
    Buffer.concat([
      Buffer.from([0x1e, 0x0f]),
      id,
      Buffer.from([at, count]),
      message.subarray(at * chunkBytes, (at + 1) * chunkBytes),
    ]),
  );
}

/** Lines to a Graylog server. */
export const gelf: LogDriver = {
  options: [
    ...["gelf-address", "gelf-compression-level", "gelf-compression-type"],
    ...["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"],
  ],
  validate,
  open: async (context, signal) => {
    const { options } = context;
    const { scheme, address, host, port } = addressOf(options["gelf-address"]);
    const encode = encoder(context);
    try {
      if (scheme === "udp") {
        return wireTarget(await UdpWire.open(host, port, signal), (message) => {
          const encoded = encode(message);
          return encoded === undefined ? [] : datagrams(compress(options, encoded));
        });
      }
      return wireTarget(await StreamWire.open({ network: "tcp", host, port }, signal), (message) => {
        const encoded = encode(message);
        return encoded === undefined ? [] : [encoded, Buffer.alloc(1)];
      });
    } catch (error) {
      throw new Unavailable(`gelf: cannot connect to GELF endpoint: ${address} ${messageOf(error)}`, { cause: error });
    }
  },
};
