import type { Process } from "@longshore/oci";
import { apparmorOf, cwdOf } from "./build.ts";
import { tweakCapabilities } from "../security/capabilities.ts";
import type { ExecInput } from "../contract.ts";
import { createEnvironment, overrideEnvironment } from "./environment.ts";
import { rlimitsOf } from "../resources/rlimits.ts";
import { parseSecurityOptions } from "../security/security-opt.ts";

/**
 * The OCI process of an exec: the container's, with what the exec names in its place. Its
 * environment is the container's, overridden by the exec's own variables.
 */
export function buildExecProcess(input: ExecInput): Process {
  const { config, hostConfig, host, settings } = input;
  const { terminal: _terminal, consoleSize: _consoleSize, rlimits: _rlimits, ...inherited } = input.process;
  const containerEnv = createEnvironment({
    hostname: config.Hostname,
    tty: input.tty,
    linkEnv: input.linkEnv,
    configured: config.Env ?? [],
  });
  const result: Process = {
    ...inherited,
    args: input.args,
    env: overrideEnvironment(containerEnv, input.env),
    // As it was asked for: the runtime refuses what is not absolute.
    cwd: input.workingDir || cwdOf(config.WorkingDir),
  };
  if (input.user !== undefined) {
    const { uid, gid, additionalGids } = input.user;
    result.user = { uid, gid, additionalGids };
  }
  if (input.tty) {
    result.terminal = true;
    if (input.consoleSize !== undefined) {
      const [height, width] = input.consoleSize;
      result.consoleSize = { height, width };
    }
  }
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], settings.noNewPrivileges);
  if (input.privileged) {
    const all = tweakCapabilities({ add: [], drop: [], privileged: true, available: host.capabilities });
    result.capabilities = { bounding: all, effective: all, permitted: all };
  }
  const apparmor = apparmorOf(security, input.privileged || hostConfig.Privileged, host.sysInfo.AppArmor);
  if (apparmor !== undefined) result.apparmorProfile = apparmor;
  const rlimits = rlimitsOf(hostConfig, settings.defaultUlimits);
  if (rlimits.length > 0) result.rlimits = rlimits;
  return result;
}
