import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@longshore/atomicfile";
import { InvalidArgument, NotFound, messageOf } from "@longshore/errdefs";
import { type Filter, parseAll } from "@longshore/filters";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import type { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import type { Any } from "@bufbuild/protobuf/wkt";

/** One part of the daemon, under the type that containerd gives such a part. */
export interface Plugin {
  /** e.g. `io.containerd.snapshotter.v1` */
  type: string;
  id: string;
  requires?: string[];
  platforms?: { os: string; architecture: string; variant?: string }[];
  /** e.g. `root` of a snapshotter */
  exports?: Record<string, string>;
  capabilities?: string[];
  /** Tells more about itself when asked for with options (runtimes do). */
  info?: (options: Any | undefined, context: CallContext) => Promise<Any>;
}

export interface IntrospectionDeps {
  /** The daemon's root directory, where its `uuid` is kept. */
  root: string;
  plugins: () => readonly Plugin[];
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
        plugins: plugins()
          .filter(({ type, id }) => filter(([field]) => (field === "type" ? type : field === "id" ? id : undefined)))
          .map(toMessage),
      };
    },
    async server() {
      uuid ??= persistentUuid(join(root, "uuid"));
      const { ino } = await stat("/proc/self/ns/pid", { bigint: true });
      return { uuid: await uuid, pid: BigInt(process.pid), pidns: ino };
    },
    async pluginInfo({ type, id, options }, context) {
      const plugin = plugins().find((candidate) => candidate.type === type && candidate.id === id);
      if (plugin === undefined) throw new NotFound(`plugin ${type}.${id} not found: not found`);
      const extra = await plugin.info?.(options, context);
      return { plugin: toMessage(plugin), ...(extra && { extra }) };
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

function toMessage({ info: _info, ...described }: Plugin): Omit<Plugin, "info"> {
  return described;
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
