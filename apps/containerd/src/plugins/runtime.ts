import { isKind, messageOf } from "@longshore/errdefs";
import { hostPlatform } from "@longshore/oci";
import { SandboxManager, TaskManager, loadTasks, runtimeInfo } from "@longshore/runtime";
import { openShimsUnit } from "@longshore/systemd";
import { serveEvents } from "../events-server.ts";
import { containerdBinary, shimDirs } from "../programs.ts";
import { type Registration, plugin } from "../registry/registration.ts";
import { apiVersion } from "../release.ts";
import {
  eventExchange,
  metadataStore,
  runtime,
  sandboxController,
  sandboxStore,
  shimManager,
  ttrpcService,
} from "./types.ts";

/** Tasks and sandboxes, and the shims that they are. @param ttrpcOwner owns the socket on which shims publish */
export function runtimePlugins(ttrpcOwner: { uid: number; gid: number }): Registration[] {
  return [
    // Before the shims are taken up: those that waited for us deliver their events meanwhile.
    plugin({
      type: ttrpcService,
      id: "events",
      requires: [eventExchange],
      async init(context) {
        const { ttrpcAddress: address, logger } = context.daemon;
        const server = await serveEvents(address, ttrpcOwner, context.single(eventExchange), logger);
        context.onClose(() => server.close());
        return { address };
      },
    }),
    plugin({
      type: sandboxStore,
      id: "local",
      requires: [metadataStore],
      init: (context) => context.single(metadataStore),
    }),
    plugin({
      type: shimManager,
      id: "manager",
      requires: [eventExchange, metadataStore],
      async init(context) {
        const { root, state, grpcAddress: address, ttrpcAddress, logger } = context.daemon;
        const metadata = context.single(metadataStore);
        const debug = logger.isLevelEnabled("debug");
        const place = await openShimsUnit((error) =>
          logger.warn({ error: messageOf(error) }, "a shim stays in the daemon's unit"),
        );
        const files = { root, state, address, ttrpcAddress, containerdBinary, shimDirs };
        return {
          runtime: {
            config: { ...files, place, debug, version: apiVersion },
            events: context.single(eventExchange),
            log: logger,
          },
          async hasSandbox(namespace, id) {
            try {
              await metadata.scope({ namespace }).sandboxes.get(id);
              return true;
            } catch (error) {
              if (isKind(error, "NotFound")) return false;
              throw error;
            }
          },
          runtimeOf: async (namespace, id) => (await metadata.scope({ namespace }).containers.get(id)).runtime.name,
        };
      },
    }),
    plugin({
      type: sandboxController,
      id: "shim",
      requires: [shimManager, eventExchange],
      async init(context) {
        const shims = context.single(shimManager);
        const sandboxes = new SandboxManager(shims.runtime);
        context.onClose(() => sandboxes.close());
        await sandboxes.load((namespace, id) => shims.hasSandbox(namespace, id));
        return sandboxes;
      },
    }),
    plugin({
      type: runtime,
      id: "task",
      requires: [shimManager],
      async init(context) {
        context.meta.platforms.push(hostPlatform());
        const shims = context.single(shimManager);
        const tasks = new TaskManager(shims.runtime);
        context.meta.info = (options, signal) => runtimeInfo(options, shimDirs, signal);
        context.onClose(async () => {
          await tasks.settled();
          tasks.close();
        });
        await loadTasks(tasks, (namespace, id) => shims.runtimeOf(namespace, id));
        return tasks;
      },
    }),
  ];
}
