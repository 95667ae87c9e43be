import { posix } from "node:path";
import type { Process, Spec, runtime } from "@longshore/oci";
import { defaultAppArmorProfile } from "../security/apparmor.ts";
import { tweakCapabilities } from "../security/capabilities.ts";
import type { SpecInput } from "../contract.ts";
import { devicesOf } from "../resources/devices.ts";
import { createEnvironment } from "./environment.ts";
import { isOwnNamespace } from "../options/modes.ts";
import { initDestination, mountsOf, usesInit } from "../mounts/runtime.ts";
import { namespacesOf } from "./namespaces.ts";
import { cgroupsPathOf, cleanPath, defaultMaskedPaths, defaultReadonlyPaths } from "./paths.ts";
import { resourcesOf } from "../resources/resources.ts";
import { rlimitsOf } from "../resources/rlimits.ts";
import { seccompOf } from "../seccomp/select.ts";
import { parseSecurityOptions, type SecurityOptions } from "../security/security-opt.ts";

/** Absolute and clean; `/` when empty. */
export function cwdOf(workingDir: string): string {
  return cleanPath(posix.join("/", workingDir));
}

function sysctlsOf({ config, hostConfig }: SpecInput): Record<string, string> {
  const sysctls: Record<string, string> = {};
  if (config.Domainname !== "") sysctls["kernel.domainname"] = config.Domainname;
  if (isOwnNamespace(hostConfig.NetworkMode)) {
    sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
    sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
  }
  const given = { ...hostConfig.Sysctls };
  // Set in the namespace before there are links: once more, it would undo what each link has.
  if (isOwnNamespace(hostConfig.NetworkMode)) delete given["net.ipv6.conf.all.disable_ipv6"];
  return { ...sysctls, ...given };
}

/** The profile to run under; undefined where the host has no AppArmor. */
export function apparmorOf(security: SecurityOptions, privileged: boolean, supported: boolean): string | undefined {
  if (!supported) return undefined;
  if (security.apparmorProfile !== "") return security.apparmorProfile;
  return privileged ? "unconfined" : defaultAppArmorProfile;
}

function processOf(input: SpecInput, capabilities: string[], security: SecurityOptions): Process {
  const { config, hostConfig, host, settings, user } = input;
  const result: Process = {
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: usesInit(input) ? [initDestination, "--", ...input.args] : input.args,
    env: createEnvironment({
      hostname: config.Hostname,
      tty: config.Tty,
      linkEnv: input.linkEnv ?? [],
      configured: config.Env ?? [],
    }),
    cwd: cwdOf(config.WorkingDir),
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
  if (config.Tty) {
    result.terminal = true;
    const [height, width] = hostConfig.ConsoleSize;
    if (height > 0 || width > 0) result.consoleSize = { height, width };
  }
  const rlimits = rlimitsOf(hostConfig, settings.defaultUlimits);
  if (rlimits.length > 0) result.rlimits = rlimits;
  if (security.noNewPrivileges) result.noNewPrivileges = true;
  const apparmor = apparmorOf(security, hostConfig.Privileged, host.sysInfo.AppArmor);
  if (apparmor !== undefined) result.apparmorProfile = apparmor;
  return result;
}

async function linuxOf(
  input: SpecInput,
  capabilities: string[],
  security: SecurityOptions,
  rootfsPropagation: string,
): Promise<runtime.Linux> {
  const { hostConfig, host, settings } = input;
  const { devices, rules } = await devicesOf(hostConfig);
  const linux: runtime.Linux = {
    resources: { devices: rules, ...(await resourcesOf(hostConfig)) },
    cgroupsPath: cgroupsPathOf(input.id, hostConfig, settings, host),
    namespaces: namespacesOf(hostConfig, input.namespaces, input.config.NetworkDisabled),
  };
  const sysctl = sysctlsOf(input);
  if (Object.keys(sysctl).length > 0) linux.sysctl = sysctl;
  if (devices.length > 0) linux.devices = devices;
  const seccomp = seccompOf({
    asked: security.seccompProfile,
    configured: settings.seccompProfile,
    privileged: hostConfig.Privileged,
    supported: host.sysInfo.Seccomp,
    subject: { arch: host.arch, kernelVersion: host.kernelVersion, capabilities },
  });
  if (seccomp !== undefined) linux.seccomp = seccomp;
  if (rootfsPropagation !== "") linux.rootfsPropagation = rootfsPropagation;
  const masked = hostConfig.MaskedPaths ?? (hostConfig.Privileged ? [] : defaultMaskedPaths(host));
  if (masked.length > 0) linux.maskedPaths = masked;
  const readonly = hostConfig.ReadonlyPaths ?? (hostConfig.Privileged ? [] : [...defaultReadonlyPaths]);
  if (readonly.length > 0) linux.readonlyPaths = readonly;
  return linux;
}

/**
 * The OCI runtime spec of a container, as the real engine writes it. Reads /dev and
 * /proc/self/mountinfo, changes nothing.
 * @throws InvalidArgument, Unknown with the real engine's messages
 */
export async function buildSpec(input: SpecInput): Promise<Spec> {
  const { config, hostConfig, host, settings } = input;
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], settings.noNewPrivileges);
  const capabilities = tweakCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged,
    available: host.capabilities,
  });
  const { mounts, rootfsPropagation } = await mountsOf(input, security.writableCgroups);
  const spec: Spec = {
    ociVersion: "1.2.1",
    process: processOf(input, capabilities, security),
    root: { path: input.rootPath, ...(hostConfig.ReadonlyRootfs ? { readonly: true } : {}) },
    mounts,
    linux: await linuxOf(input, capabilities, security, rootfsPropagation),
  };
  if (hostConfig.UTSMode !== "host") spec.hostname = config.Hostname;
  if (Object.keys(hostConfig.Annotations ?? {}).length > 0) spec.annotations = { ...hostConfig.Annotations };
  return spec;
}
