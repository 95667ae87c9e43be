import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { ContainerSettings } from "@longshore/containers";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { Config } from "./config/config.ts";
import { runtimesOf } from "./runtimes.ts";

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Searches PATH; daemons are often started with a short one. */
function findBinary(...names: string[]): string {
  const directories = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/libexec/docker",
  ];
  for (const name of names)
    for (const directory of directories)
      if (directory !== "" && executable(join(directory, name))) return join(directory, name);
  return "";
}

/** The seccomp profile as text: built-in is empty. @throws InvalidArgument when the file cannot be read */
function seccompProfile(setting: string): string {
  if (setting === "builtin" || setting === "" || setting === "unconfined")
    return setting === "unconfined" ? setting : "";
  try {
    return readFileSync(setting, "utf8");
  } catch (error) {
    throw new InvalidArgument(`opening seccomp profile (${setting}) failed: ${messageOf(error)}`, { cause: error });
  }
}

/** What the configuration says about containers. @throws InvalidArgument, see `runtimesOf` */
export function containerSettings(config: Config, driver: "cgroupfs" | "systemd"): ContainerSettings {
  const runtimes = runtimesOf(config, driver === "systemd");
  return {
    dataRoot: config.dataRoot,
    execRoot: config.execRoot,
    snapshotter: "overlayfs",
    defaultRuntime: config.defaultRuntime,
    runtimes,
    logDriver: config.logDriver,
    logOpts: config.logOpts,
    dns: config.network.dns,
    dnsSearch: config.network.dnsSearch,
    dnsOptions: config.network.dnsOpts,
    bridge: config.network.bridge,
    engine: {
      dataRoot: config.dataRoot,
      cgroupParent: config.cgroupParent,
      defaultUlimits: Object.values(config.defaultUlimits),
      noNewPrivileges: config.noNewPrivileges,
      seccompProfile: seccompProfile(config.seccompProfile),
      init: config.init,
      initPath: config.initPath || findBinary("docker-init", "tini-static", "tini"),
      runtimes: Object.keys(runtimes),
      defaultRuntime: config.defaultRuntime,
      defaultShmSize: config.defaultShmSize,
      defaultIpcMode: config.defaultIpcMode as "private" | "shareable",
      defaultCgroupnsMode: config.defaultCgroupnsMode as "private" | "host" | "",
    },
  };
}
