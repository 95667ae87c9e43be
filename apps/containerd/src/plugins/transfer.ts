import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ImageArchives } from "@longshore/archive";
import { Connections, dockerHosts, hostsDirHosts } from "@longshore/remotes";
import { Transfer, endFormerTransfers } from "@longshore/transfer";
import { type Registration, plugin } from "../registry/registration.ts";
import { StreamRegistry } from "../services/transfer/streams.ts";
import { differ, metadataStore, streaming, transferService } from "./types.ts";

/** Pull, push, import and export, and the streams they go over. @param unpackLimit bytes that an image archive may unpack to; 0 for as many as the disk has */
export function transferPlugins(unpackLimit: number): Registration[] {
  return [
    plugin({
      type: transferService,
      id: "local",
      requires: [metadataStore, differ],
      config: {
        max_concurrent_downloads: 3,
        max_concurrent_uploaded_layers: 5,
        config_path: "/etc/containerd/certs.d",
      },
      async init(context) {
        const { config, daemon } = context;
        const metadata = context.single(metadataStore);
        await endFormerTransfers(metadata);
        const connections = new Connections();
        context.onClose(() => connections[Symbol.asyncDispose]());
        const transfer = new Transfer({
          open: (call) => metadata.scope(call),
          applier: context.single(differ),
          archiver: new ImageArchives(unpackLimit),
          defaultSnapshotter: async (namespace) =>
            (await metadata.namespaces.labels(namespace))["containerd.io/defaults/snapshotter"] || "overlayfs",
          maxConcurrentDownloads: config.max_concurrent_downloads,
          maxConcurrentUploads: config.max_concurrent_uploaded_layers,
          log: daemon.logger,
        });
        const dirs = config.config_path.split(":").filter((dir) => dir !== "");
        return { transfer, connections, hosts: hostsDirHosts(dirs, dockerHosts()) };
      },
    }),
    plugin({
      type: streaming,
      id: "manager",
      requires: [metadataStore],
      async init({ daemon: { state } }) {
        const byteSockets = join(state, "streams");
        // Sockets of a killed daemon: their streams ended with it.
        await rm(byteSockets, { recursive: true, force: true });
        await mkdir(byteSockets, { mode: 0o700 });
        return { streams: new StreamRegistry(), byteSockets };
      },
    }),
  ];
}
