import { closeSync, readFileSync } from "node:fs";
import { Conflict, NotFound } from "@longshore/errdefs";
import { type Process, type Spec, unmarshalRuntime } from "@longshore/oci";
import { buildExecProcess, buildSpec, containerOf, ensureAppArmorProfile, type ReadRootFile, type ReadyMount, type ResolvedUser, resolveUser } from "@longshore/spec";
import { type MountSpec, O, openInRoot } from "@longshore/sys";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";
import type { ExecConfig } from "./exec-record.ts";
import { linkEnvironment } from "./links.ts";
import type { NetworkPaths } from "./network-sandbox.ts";
import { withMounts, withRoot } from "./rootfs.ts";
import { joined } from "./shm.ts";

export interface SpecParts {
  rootfs: readonly MountSpec[];
  mounts: ReadyMount[];
  network: NetworkPaths;
  shmPath: string | undefined;
}

/** Reads files of a container's root, whose links lead nowhere else. */
function rootReader(root: string): ReadRootFile {
  return async (path) => {
    let fd: number;
    try {
      fd = openInRoot(root, path, O.RDONLY);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw error;
    }
    try {
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  };
}

/** The OCI spec of a container that is about to start. */
export async function containerSpec(context: Context, container: Container, parts: SpecParts): Promise<Spec> {
  const { record, hostConfig } = container;
  const user = await withMounts(context, parts.rootfs, (root) => resolveUser(rootReader(root), record.Config.User, hostConfig.GroupAdd ?? []));
  const pidDonor = containerOf(hostConfig.PidMode);
  const ipcDonor = containerOf(hostConfig.IpcMode);
  await ensureAppArmorProfile(context.host);
  return await buildSpec({
    id: container.id,
    config: record.Config,
    hostConfig,
    args: [record.Path, ...record.Args],
    linkEnv: linkEnvironment(context, container),
    rootPath: "rootfs",
    user,
    mounts: parts.mounts,
    files: parts.network.files,
    ...(parts.shmPath === undefined ? {} : { shmPath: parts.shmPath }),
    namespaces: {
      ...(parts.network.netns === undefined ? {} : { network: parts.network.netns }),
      ...(ipcDonor === undefined ? {} : { ipc: `/proc/${joined(context, ipcDonor).record.State.Pid}/ns/ipc` }),
      ...(pidDonor === undefined ? {} : { pid: `/proc/${pidNamespaceDonor(context, pidDonor).record.State.Pid}/ns/pid` }),
    },
    host: context.host,
    settings: context.settings.engine,
  });
}

function pidNamespaceDonor(context: Context, nameOrId: string): Container {
  const donor = context.store.get(nameOrId);
  if (!donor.record.State.Running) throw new Conflict(`cannot join PID namespace of a non running container: ${donor.id}`);
  return donor;
}

/** Looks a user up in a container's own files; `undefined` when none is named. */
export async function execUser(context: Context, container: Container, name: string): Promise<ResolvedUser | undefined> {
  if (name === "") return undefined;
  return await withRoot(context, container, (root) => resolveUser(rootReader(root), name, container.hostConfig.GroupAdd ?? []));
}

async function storedSpec(context: Context, id: string): Promise<Spec> {
  const { container: stored } = await context.containerd.containers.get({ id });
  return unmarshalRuntime<Spec>(stored?.spec?.value ?? new Uint8Array());
}

/** The OCI process of an exec, from the spec that the container runs with. */
export async function execProcess(context: Context, container: Container, config: ExecConfig, user: ResolvedUser | undefined): Promise<Process> {
  container.spec ??= await storedSpec(context, container.id);
  const { spec } = container;
  if (spec.process === undefined) throw new NotFound(`container ${container.id} has no process in its spec`);
  return buildExecProcess({
    process: spec.process,
    config: container.record.Config,
    hostConfig: container.hostConfig,
    args: config.cmd,
    env: config.env,
    ...(user === undefined ? {} : { user }),
    workingDir: config.workingDir,
    tty: config.tty,
    ...(config.consoleSize === undefined ? {} : { consoleSize: config.consoleSize }),
    privileged: config.privileged,
    host: context.host,
    settings: context.settings.engine,
  });
}
