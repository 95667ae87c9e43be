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
import { inNamespace } from "../namespaces/metadata.ts";
import type { ContainerdClient } from "./client.ts";

/** All of containerd's services over one channel, bound to one namespace. */
export function connectContainerd(channel: Channel, namespace: string): ContainerdClient {
  const metadata = inNamespace(namespace);
  return {
    containers: createClient(channel, Containers, metadata),
    content: createClient(channel, Content, metadata),
    diff: createClient(channel, Diff, metadata),
    events: createClient(channel, Events, metadata),
    images: createClient(channel, Images, metadata),
    introspection: createClient(channel, Introspection, metadata),
    leases: createClient(channel, Leases, metadata),
    namespaces: createClient(channel, Namespaces, metadata),
    snapshots: createClient(channel, Snapshots, metadata),
    streaming: createClient(channel, Streaming, metadata),
    tasks: createClient(channel, Tasks, metadata),
    transfer: createClient(channel, Transfer, metadata),
    version: createClient(channel, Version, metadata),
  };
}
