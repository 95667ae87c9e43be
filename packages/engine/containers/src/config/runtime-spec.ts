import { messageOf, NotFound, Unknown } from "@longshore/errdefs";
import { type Process, type Spec, unmarshalRuntime } from "@longshore/oci";
import {
  buildExecProcess,
  buildSpec,
  containerOf,
  ensureAppArmorProfile,
  type ReadyMount,
} from "@longshore/docker-spec";
import type { MountSpec } from "@longshore/sys";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import type { Exec } from "../exec/exec-record.ts";
import { linkEnvironment } from "../networking/links.ts";
import type { NetworkPaths } from "../networking/network-sandbox.ts";
import { rootUser } from "./root-user.ts";
import { joined } from "../rootfs/shm.ts";

export interface SpecParts {
  rootfs: readonly MountSpec[];
  mounts: ReadyMount[];
  network: NetworkPaths;
  shmPath: string | undefined;
}

/** A spec could not be made: what is missing is then no command of the container's, whatever the words. */
export class SpecFailure extends Unknown {}

/** The OCI spec of a container that is about to start. @throws SpecFailure */
export async function containerSpec(context: Context, container: Container, parts: SpecParts): Promise<Spec> {
  try {
    return await makeSpec(context, container, parts);
  } catch (error) {
    throw new SpecFailure(messageOf(error), { cause: error });
  }
}

async function makeSpec(context: Context, container: Container, parts: SpecParts): Promise<Spec> {
  const { record, hostConfig } = container;
  const user = await rootUser(context, container, parts.rootfs);
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
      ...(ipcDonor === undefined ? {} : { ipc: `/proc/${joined(context, ipcDonor, "IPC").record.State.Pid}/ns/ipc` }),
      ...(pidDonor === undefined ? {} : { pid: `/proc/${joined(context, pidDonor, "PID").record.State.Pid}/ns/pid` }),
    },
    host: context.host,
    settings: context.settings.engine,
  });
}

async function storedSpec(context: Context, id: string): Promise<Spec> {
  const { container: stored } = await context.containerd.containers.get({ id });
  return unmarshalRuntime<Spec>(stored?.spec?.value ?? new Uint8Array());
}

/** The OCI process of an exec, from the spec that the container runs with. */
export async function execProcess(context: Context, { container, config, user, linkEnv }: Exec): Promise<Process> {
  container.spec ??= await storedSpec(context, container.id);
  const { spec } = container;
  if (spec.process === undefined) throw new NotFound(`container ${container.id} has no process in its spec`);
  return buildExecProcess({
    process: spec.process,
    config: container.record.Config,
    hostConfig: container.hostConfig,
    args: config.cmd,
    linkEnv,
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
