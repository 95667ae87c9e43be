import type { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import type { Content } from "@longshore/proto/containerd/services/content/v1/content";
import type { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import type { Events } from "@longshore/proto/containerd/services/events/v1/events";
import type { Images } from "@longshore/proto/containerd/services/images/v1/images";
import type { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import type { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import type { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import type { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import type { Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import type { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import type { Transfer } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import type { Version } from "@longshore/proto/containerd/services/version/v1/version";
import type { ServiceClient } from "@longshore/proto";

/** containerd's services as the engine uses them, bound to one namespace. */
export interface ContainerdClient {
  readonly containers: ServiceClient<typeof Containers>;
  readonly content: ServiceClient<typeof Content>;
  readonly diff: ServiceClient<typeof Diff>;
  readonly events: ServiceClient<typeof Events>;
  readonly images: ServiceClient<typeof Images>;
  readonly introspection: ServiceClient<typeof Introspection>;
  readonly leases: ServiceClient<typeof Leases>;
  readonly namespaces: ServiceClient<typeof Namespaces>;
  readonly snapshots: ServiceClient<typeof Snapshots>;
  readonly streaming: ServiceClient<typeof Streaming>;
  readonly tasks: ServiceClient<typeof Tasks>;
  readonly transfer: ServiceClient<typeof Transfer>;
  readonly version: ServiceClient<typeof Version>;
}
