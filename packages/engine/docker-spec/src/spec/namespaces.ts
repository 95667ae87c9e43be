import type { HostConfig } from "@longshore/docker-api";
import { FailedPrecondition } from "@longshore/errdefs";
import type { runtime } from "@longshore/oci";
import type { SpecInput } from "../contract.ts";
import { containerOf } from "../options/modes.ts";

function namespaceOf(
  type: runtime.LinuxNamespaceType,
  mode: string,
  path: string | undefined,
): runtime.LinuxNamespace[] {
  if (mode === "host") return [];
  if (containerOf(mode) !== undefined && path === undefined) {
    throw new FailedPrecondition(`cannot join the ${type} namespace of ${mode}: its path is not known`);
  }
  return [path === undefined ? { type } : { type, path }];
}

/** The namespaces that the runtime makes or joins; a kind that is missing is the host's. */
export function namespacesOf(
  hostConfig: HostConfig,
  paths: SpecInput["namespaces"],
  networkDisabled = false,
): runtime.LinuxNamespace[] {
  return [
    { type: "mount" },
    ...namespaceOf("network", networkDisabled ? "" : hostConfig.NetworkMode, paths.network),
    ...namespaceOf("uts", hostConfig.UTSMode, undefined),
    ...namespaceOf("pid", hostConfig.PidMode, paths.pid),
    ...namespaceOf("ipc", hostConfig.IpcMode, paths.ipc),
    ...(hostConfig.CgroupnsMode === "private" ? [{ type: "cgroup" } satisfies runtime.LinuxNamespace] : []),
  ];
}
