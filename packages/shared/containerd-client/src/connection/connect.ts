import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Content } from "@longshore/proto/containerd/services/content/v1/content";
import { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Transfer } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import { type Channel, createClient } from "@longshore/grpc";
import type { ContainerdClient } from "./client.ts";

/** All of containerd's services over one channel, bound to one namespace. */
export function connectContainerd(channel: Channel, namespace: string): ContainerdClient {
  const options = { namespace };
  return {
    containers: createClient(channel, Containers, options),
    content: createClient(channel, Content, options),
    diff: createClient(channel, Diff, options),
    events: createClient(channel, Events, options),
    images: createClient(channel, Images, options),
    introspection: createClient(channel, Introspection, options),
    leases: createClient(channel, Leases, options),
    namespaces: createClient(channel, Namespaces, options),
    snapshots: createClient(channel, Snapshots, options),
    streaming: createClient(channel, Streaming, options),
    tasks: createClient(channel, Tasks, options),
    transfer: createClient(channel, Transfer, options),
    version: createClient(channel, Version, options),
  };
}
