import { buffer } from "node:stream/consumers";
import { fromBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { inNamespace } from "@longshore/containerd-client";
import { InvalidArgument } from "@longshore/errdefs";
import { Channel, createClient } from "@longshore/grpc";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { parseFlags, publishFlags } from "./config/flags.ts";

const connectTimeoutMs = 10_000;

/**
 * `containerd publish`: how shims without a ttrpc address announce an event; its packed message
 * comes on stdin.
 * @throws InvalidArgument without namespace or topic, Unavailable
 */
export async function publish(address: string, args: readonly string[]): Promise<void> {
  const { values } = parseFlags(args, publishFlags);
  const namespace = values.get("namespace") ?? "";
  const topic = values.get("topic") ?? "";
  if (topic === "") throw new InvalidArgument("topic required to publish event");
  const event = fromBinary(AnySchema, await buffer(process.stdin));
  const channel = new Channel(address);
  try {
    await channel.ready(connectTimeoutMs);
    await createClient(channel, Events, inNamespace(namespace)).publish({ topic, event });
  } finally {
    channel.close();
  }
}
