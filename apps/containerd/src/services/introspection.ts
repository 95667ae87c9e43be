import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { writeFileAtomic } from "@longshore/atomicfile";
import {
  FailedPrecondition,
  InvalidArgument,
  NotFound,
  NotImplemented,
  grpcCodeOf,
  messageOf,
} from "@longshore/errdefs";
import { type Filter, parseAll } from "@longshore/filters";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Introspection, PluginSchema } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import type { Plugin, PluginSet } from "../registry/plugin-set.ts";

export interface IntrospectionDeps {
  /** The daemon's root directory, where its `uuid` is kept. */
  root: string;
  plugins: PluginSet;
}

export function introspectionService({
  root,
  plugins,
}: IntrospectionDeps): ServiceImplementation<typeof Introspection> {
  let uuid: Promise<string> | undefined;
  return {
    plugins({ filters }) {
      const filter = pluginFilters(filters);
      return {
        plugins: plugins
          .all()
          .map(toMessage)
          .filter(({ type, id }) => filter(([field]) => (field === "type" ? type : field === "id" ? id : undefined))),
      };
    },
    async server() {
      uuid ??= persistentUuid(join(root, "uuid"));
      const { ino } = await stat("/proc/self/ns/pid", { bigint: true });
      return { uuid: await uuid, pid: BigInt(process.pid), pidns: ino };
    },
    async pluginInfo({ type, id, options }, { signal }) {
      const plugin = plugins.find(type, id);
      if (plugin === undefined) throw new NotFound(`plugin ${type}.${id} not found: not found`);
      if (options === undefined) return { plugin: toMessage(plugin) };
      if ("error" in plugin.result)
        throw new FailedPrecondition("cannot get extra info, plugin not successfully loaded: failed precondition");
      const { info } = plugin.meta;
      if (info === undefined) throw new NotImplemented("plugin does not provided extra information: not implemented");
      return { plugin: toMessage(plugin), extra: await info(options, signal) };
    },
  };
}

function pluginFilters(filters: readonly string[]): Filter {
  try {
    return parseAll(filters);
  } catch (error) {
    // containerd puts the kind in front here, too.
    throw new InvalidArgument(`invalid argument: ${messageOf(error)}`, { cause: error });
  }
}

function toMessage({
  registration,
  meta,
  result,
}: Plugin): MessageInitShape<typeof PluginSchema> & { type: string; id: string } {
  const { type, id, requires = [] } = registration;
  const exports = Object.entries(meta.exports).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : value();
    return text === undefined ? [] : [[name, text] as const];
  });
  const initErr = "error" in result ? { code: grpcCodeOf(result.error), message: messageOf(result.error) } : undefined;
  return {
    type,
    id,
    requires: [...requires],
    platforms: meta.platforms,
    exports: Object.fromEntries(exports),
    capabilities: meta.capabilities,
    ...(initErr && { initErr }),
  };
}

/** Names the installation for good; made at the first call. */
async function persistentUuid(path: string): Promise<string> {
  const known = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (known.trim() !== "") return known.trim();
  const uuid = randomUUID();
  await writeFileAtomic(path, uuid);
  return uuid;
}
