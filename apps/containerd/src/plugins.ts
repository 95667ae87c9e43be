import { join } from "node:path";
import { hostPlatform } from "@longshore/oci";
import type { Plugin } from "./services/introspection.ts";
import { contentDir, overlayfsDir } from "./stores.ts";

const grpcPlugins = [
  "containers",
  "content",
  "diff",
  "events",
  "healthcheck",
  "images",
  "introspection",
  "leases",
  "namespaces",
  "snapshots",
  "streaming",
  "tasks",
  "transfer",
  "version",
];

/** The daemon's parts as `ctr plugins ls` lists them. What was set aside as `damage` is exported by the metadata, a line each. */
export function plugins(root: string, damage: readonly string[]): Plugin[] {
  const { os, architecture, variant } = hostPlatform();
  const platforms = [{ os, architecture, ...(variant === undefined ? {} : { variant }) }];
  return [
    { type: "io.containerd.content.v1", id: "content", exports: { root: join(root, contentDir) } },
    { type: "io.containerd.snapshotter.v1", id: "overlayfs", platforms, exports: { root: join(root, overlayfsDir) } },
    {
      type: "io.containerd.metadata.v1",
      id: "sqlite",
      ...(damage.length === 0 ? {} : { exports: { damage: damage.join("\n") } }),
      requires: ["io.containerd.content.v1", "io.containerd.snapshotter.v1", "io.containerd.event.v1"],
    },
    { type: "io.containerd.event.v1", id: "exchange" },
    { type: "io.containerd.differ.v1", id: "walking", platforms },
    { type: "io.containerd.gc.v1", id: "scheduler", requires: ["io.containerd.metadata.v1"] },
    { type: "io.containerd.shim.v1", id: "manager", requires: ["io.containerd.event.v1", "io.containerd.metadata.v1"] },
    { type: "io.containerd.runtime.v2", id: "task", platforms, requires: ["io.containerd.shim.v1"] },
    { type: "io.containerd.sandbox.store.v1", id: "local", requires: ["io.containerd.metadata.v1"] },
    {
      type: "io.containerd.sandbox.controller.v1",
      id: "shim",
      requires: ["io.containerd.shim.v1", "io.containerd.event.v1"],
    },
    {
      type: "io.containerd.transfer.v1",
      id: "local",
      requires: ["io.containerd.metadata.v1", "io.containerd.differ.v1"],
    },
    { type: "io.containerd.grpc.v1", id: "sandboxes", requires: ["io.containerd.sandbox.store.v1"] },
    {
      type: "io.containerd.grpc.v1",
      id: "sandbox-controllers",
      requires: ["io.containerd.sandbox.controller.v1", "io.containerd.event.v1"],
    },
    ...grpcPlugins.map((id) => ({ type: "io.containerd.grpc.v1", id })),
  ];
}
