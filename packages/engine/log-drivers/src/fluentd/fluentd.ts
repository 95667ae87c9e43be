import { randomBytes } from "node:crypto";
import { Unavailable } from "@longshore/errdefs";
import type { LogMessage } from "@longshore/logging";
import { ExtData, encode } from "@msgpack/msgpack";
import type { DriverContext, LogDriver, LogTarget } from "../contract.ts";
import { StreamWire } from "../wire/stream.ts";
import { wireTarget } from "../wire/wire-target.ts";
import { Acks } from "./acks.ts";
import { type FluentdOptions, fluentdOptions } from "./options.ts";

type Entry = [time: number | ExtData, record: Record<string, string>];

/** Forward protocol v1: seconds, or an EventTime (extension 0) of seconds and nanoseconds. */
function timeOf(timeNano: bigint, subSecond: boolean): number | ExtData {
  const seconds = Number(timeNano / 1_000_000_000n);
  if (!subSecond) return seconds;
  const time = Buffer.alloc(8);
  time.writeUInt32BE(seconds);
  time.writeUInt32BE(Number(timeNano % 1_000_000_000n), 4);
  return new ExtData(0, time);
}

function entries({ attributes, info }: DriverContext, { subSecond }: FluentdOptions): (message: LogMessage) => Entry {
  const about = { container_id: info.ContainerID, container_name: info.ContainerName };
  return ({ line, partial, stream, timeNano }) => [
    timeOf(timeNano, subSecond),
    {
      ...about,
      source: stream,
      log: line.toString(),
      ...attributes,
      ...(partial === undefined
        ? {}
        : {
            partial_message: "true",
            partial_id: partial.id,
            partial_ordinal: String(partial.ordinal),
            partial_last: String(partial.last),
          }),
    },
  ];
}

/** Lines in chunks, of which the server says that it has them. */
function acknowledged(wire: StreamWire, tag: string, entryOf: (message: LogMessage) => Entry): LogTarget {
  const acks = new Acks(wire.socket);
  const target = wireTarget(wire, () => [], true);
  return {
    ...target,
    send: async (messages, signal) => {
      if (messages.length === 0) return;
      const chunk = randomBytes(16).toString("base64");
      await wire.write([Buffer.from(encode([tag, messages.map(entryOf), { chunk }]))], signal);
      const ack = await acks.next(signal);
      if (ack !== chunk) throw new Unavailable(`fluentd has acknowledged ${ack} for ${chunk}`);
    },
  };
}

/** Lines to fluentd or fluent-bit, by the Forward protocol. */
export const fluentd: LogDriver = {
  options: [
    ...["address", "async", "async-reconnect-interval", "buffer-limit", "max-retries"],
    ...["request-ack", "retry-wait", "sub-second-precision", "write-timeout"],
  ].map((name) => `fluentd-${name}`),
  validate: (options) => void fluentdOptions(options),
  startsWithout: (options) => fluentdOptions(options).async,
  open: async (context, signal) => {
    const options = fluentdOptions(context.options);
    const { tag } = context;
    const entryOf = entries(context, options);
    const wire = await StreamWire.open(options.address, signal);
    if (options.ack) return acknowledged(wire, tag, entryOf);
    return wireTarget(wire, (message) => [Buffer.from(encode([tag, ...entryOf(message), {}]))]);
  },
};
