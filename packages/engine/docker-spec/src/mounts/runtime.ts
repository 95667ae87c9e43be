import { posix } from "node:path";
import { Unknown } from "@longshore/errdefs";
import type { runtime } from "@longshore/oci";
import type { ReadyMount, SpecInput } from "../contract.ts";
import { isOwnNamespace, usesShmPath } from "../options/modes.ts";
import { defaultMounts } from "./defaults.ts";
import { defaultPropagation } from "./modes.ts";
import { checkPropagation } from "./propagation.ts";
import { mergeTmpfsOptions, tmpfsMountOptions } from "./tmpfs.ts";

/** Where the init binary is bound in a container. */
export const initDestination = "/sbin/docker-init";

const fileDestinations = { resolvConf: "/etc/resolv.conf", hostname: "/etc/hostname", hosts: "/etc/hosts" } as const;

/** Whether the container's first process is the init binary; it would not be PID 1 elsewhere. */
export function usesInit(input: SpecInput): boolean {
  return (input.hostConfig.Init ?? input.settings.init) && isOwnNamespace(input.hostConfig.PidMode);
}

function depth(destination: string): number {
  return posix.normalize(destination).split("/").length;
}

function readOnlyOption(mount: ReadyMount, recursiveReadOnly: string): "ro" | "rro" {
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive } = mount.record.Spec.BindOptions ?? {};
  if (ReadOnlyNonRecursive === true) {
    if (ReadOnlyForceRecursive === true) {
      throw new Unknown("mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive");
    }
    return "ro";
  }
  if (recursiveReadOnly === "") return "rro";
  if (ReadOnlyForceRecursive === true) throw new Unknown(recursiveReadOnly);
  return "ro";
}

/** @throws Unknown when a mount is to be written to, and to be read-only in some way */
function checkWritable({ Type, Spec }: ReadyMount["record"]): void {
  if (Type !== "bind") return;
  for (const option of ["ReadOnlyNonRecursive", "ReadOnlyForceRecursive"] as const) {
    if (Spec.BindOptions?.[option] === true)
      throw new Unknown(`mount options conflict: !ReadOnly && BindOptions.${option}`);
  }
}

interface Propagations {
  /** Strongest propagation that the root needs so that a mount's own one has effect. */
  root: "" | "rslave" | "shared";
}

async function bindMount(mount: ReadyMount, input: SpecInput, propagations: Propagations): Promise<runtime.Mount> {
  const { record, source } = mount;
  // Newer runtimes refuse it in these words; older ones hide the whole root below the mount and fail later.
  if (posix.normalize(record.Destination) === "/") {
    const { rootPath } = input;
    throw new Unknown(
      `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "${source}" to rootfs at "/": create mountpoint for / mount: mountpoint "${rootPath}" is on the top of rootfs "${rootPath}"`,
    );
  }
  const bindOptions = record.Type === "bind" ? record.Spec.BindOptions : undefined;
  const propagation = record.Propagation ?? "";
  const automatic = propagation === "rslave" && (bindOptions?.Propagation ?? "") === "";
  let needsRoot = true;
  try {
    await checkPropagation(source, propagation);
  } catch (error) {
    // The engine itself chose rslave for what contains its data root: harmless where nothing is shared.
    if (!automatic) throw error;
    needsRoot = false;
  }
  if (propagation === "shared" || propagation === "rshared") propagations.root = "shared";
  else if (needsRoot && propagation.endsWith("slave") && propagations.root === "") propagations.root = "rslave";
  const options = [bindOptions?.NonRecursive === true ? "bind" : "rbind"];
  if (record.RW) checkWritable(record);
  else options.push(readOnlyOption(mount, input.host.recursiveReadOnly));
  if (propagation !== "") options.push(propagation);
  return { destination: record.Destination, type: "bind", source, options };
}

function tmpfsMount(destination: string, options: readonly string[]): runtime.Mount {
  const merged = mergeTmpfsOptions(["noexec", "nosuid", "nodev", defaultPropagation, ...options]);
  return { destination, type: "tmpfs", source: "tmpfs", options: merged };
}

/** A file of the engine's, or what the user has mounted in its place. */
function fileMounts(input: SpecInput, overrides: Map<string, ReadyMount>): ReadyMount[] {
  return Object.entries(fileDestinations).flatMap(([name, destination]) => {
    const given = overrides.get(destination);
    if (given !== undefined) return [given];
    const source = input.files[name as keyof typeof fileDestinations];
    if (source === undefined) return [];
    return [{ source, record: ownBind(destination, !input.hostConfig.ReadonlyRootfs) }];
  });
}

function ownBind(Destination: string, RW: boolean): ReadyMount["record"] {
  return {
    Type: "bind",
    Source: "",
    Destination,
    RW,
    Name: "",
    Driver: "",
    Propagation: defaultPropagation,
    Spec: {},
    SkipMountpointCreation: false,
  };
}

/** All that the user, or the engine on the user's behalf, mounts; parents before children. */
async function userMounts(input: SpecInput, propagations: Propagations): Promise<runtime.Mount[]> {
  const { hostConfig } = input;
  const files = new Set<string>(Object.values(fileDestinations));
  const overrides = new Map(
    input.mounts
      .filter(({ record }) => files.has(record.Destination))
      .map((mount) => [mount.record.Destination, mount]),
  );
  const binds = input.mounts.filter(({ record }) => record.Type !== "tmpfs" && !files.has(record.Destination));
  binds.sort((a, b) => depth(a.record.Destination) - depth(b.record.Destination));
  binds.push(...fileMounts(input, overrides));
  if (usesShmPath(hostConfig.IpcMode) && input.shmPath !== undefined) {
    binds.push({ source: input.shmPath, record: ownBind("/dev/shm", true) });
  }
  const mounts: runtime.Mount[] = [];
  const taken = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map((path) => posix.normalize(path)));
  for (const bind of binds) {
    if (!taken.has(bind.record.Destination)) mounts.push(await bindMount(bind, input, propagations));
  }
  for (const [destination, data] of Object.entries(hostConfig.Tmpfs ?? {})) {
    mounts.push(tmpfsMount(destination, data === "" ? [] : data.split(",")));
  }
  for (const { record } of input.mounts) {
    if (record.Type === "tmpfs") mounts.push(tmpfsMount(record.Destination, tmpfsMountOptions(record.Spec)));
  }
  return mounts.toSorted((a, b) => depth(a.destination) - depth(b.destination));
}

/** What stays writable below a read-only root. */
const writableBelowReadonly = new Set(["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"]);

/**
 * The mounts of a spec in the runtime's order, and the propagation that the root must have.
 * @throws Unknown with the real engine's messages
 */
export async function mountsOf(
  input: SpecInput,
  writableCgroups: boolean,
): Promise<{ mounts: runtime.Mount[]; rootfsPropagation: "" | "rslave" | "shared" }> {
  const { hostConfig } = input;
  const propagations: Propagations = { root: "" };
  const own = await userMounts(input, propagations);
  const destinations = new Set(own.map((mount) => mount.destination));
  const mounts = defaultMounts(hostConfig.ShmSize).filter(({ destination }) => {
    if (destinations.has(destination)) return false;
    if (destinations.has("/dev") && destination.startsWith("/dev/")) return false;
    return !(destination === "/dev/shm" && hostConfig.IpcMode === "none");
  });
  if (usesInit(input)) {
    mounts.push({
      destination: initDestination,
      type: "bind",
      source: input.settings.initPath,
      options: ["bind", "ro"],
    });
  }
  for (const mount of mounts) {
    const options = (mount.options ??= []);
    const writable =
      (mount.destination === "/sys" && hostConfig.Privileged) ||
      (mount.destination === "/sys/fs/cgroup" && (hostConfig.Privileged || writableCgroups));
    if (writable) mount.options = options.filter((option) => option !== "ro");
    else if (hostConfig.ReadonlyRootfs && !writableBelowReadonly.has(mount.destination) && !options.includes("ro")) {
      options.push("ro");
    }
  }
  return { mounts: [...mounts, ...own], rootfsPropagation: propagations.root };
}
