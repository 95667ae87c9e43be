import type { Config } from "../config/config.ts";
import { Registry } from "../registry/registry.ts";
import { grpcPlugins } from "./grpc.ts";
import { runtimePlugins } from "./runtime.ts";
import { storePlugins } from "./stores.ts";
import { transferPlugins } from "./transfer.ts";

/** All plugins of this containerd. */
export function builtinPlugins({ ttrpc, archive }: Pick<Config, "ttrpc" | "archive">): Registry {
  const limit = archive.max_unpacked_bytes;
  const registry = new Registry();
  for (const registration of [
    ...storePlugins(limit),
    ...runtimePlugins(ttrpc),
    ...transferPlugins(limit),
    ...grpcPlugins(),
  ])
    registry.register(registration);
  return registry;
}
