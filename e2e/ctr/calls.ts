import { inNamespace } from "@longshore/containerd-client";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type LongshoreError, grpcCodeOf, messageOf } from "@longshore/errdefs";
import { Channel, createClient } from "@longshore/grpc";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { Controller, Store as Sandboxes } from "@longshore/proto/containerd/services/sandbox/v1/sandbox";
import { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";

/** The clients of one containerd. */
export function connect(address: string, namespace: string) {
  const channel = new Channel(address);
  const call = inNamespace(namespace);
  return {
    channel,
    controller: createClient(channel, Controller, call),
    containers: createClient(channel, Containers, call),
    introspection: createClient(channel, Introspection, call),
    leases: createClient(channel, Leases, call),
    namespaces: createClient(channel, Namespaces, call),
    sandboxes: createClient(channel, Sandboxes, call),
    tasks: createClient(channel, Tasks, call),
  };
}

export type Clients = ReturnType<typeof connect>;
export type Call = [title: string, call: (clients: Clients) => Promise<MessageShape<DescMessage>>];

/** What a call answered, without times and pids: a message, or code and text of the error. */
export async function outcome([title, call]: Call, clients: Clients): Promise<unknown> {
  try {
    return [title, plain(await call(clients))];
  } catch (error) {
    return [title, grpcCodeOf(error as LongshoreError), messageOf(error)];
  }
}

function plain(message: unknown): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value: unknown) =>
      key.endsWith("At") || key === "seconds" || key === "pid"
        ? Boolean(value)
        : typeof value === "bigint"
          ? String(value)
          : value,
    ),
  );
}
