import { existsSync, statSync } from "node:fs";
import { InvalidArgument } from "@longshore/errdefs";
import type { Config } from "./config.ts";

/** Why dockerd refuses an `--exec-opt` as it reads its configuration; undefined for a good one. */
export function checkExecOption(option: string): string | undefined {
  const [key, value] = split(option);
  if (key === "" || value === "") return "must be formatted 'opt=value'";
  if (key === "native.cgroupdriver") return undefined;
  return key === "isolation" ? "option 'isolation' is only supported on windows" : `unknown option: '${key}'`;
}

function split(option: string): [key: string, value: string] {
  const equals = option.indexOf("=");
  if (equals < 0) return [option.trim().toLowerCase(), ""];
  return [option.slice(0, equals).trim().toLowerCase(), option.slice(equals + 1).trim()];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Whether systemd runs the machine and would share the one hierarchy with whoever else writes there. */
function systemdOwnsCgroups(): boolean {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") && isDirectory("/run/systemd/system");
}

/**
 * Who makes the containers' cgroups. Unless `native.cgroupdriver` says it, that is systemd where it
 * runs the machine and the unified hierarchy is alone, as with dockerd: there systemd wants to be the
 * only one who does.
 * @throws InvalidArgument with dockerd's text for an unknown driver, or a parent that systemd cannot take
 */
export function cgroupDriver(
  config: Pick<Config, "execOpts" | "cgroupParent">,
  systemd = systemdOwnsCgroups(),
): "cgroupfs" | "systemd" {
  const given = config.execOpts.map(split).find(([key]) => key === "native.cgroupdriver")?.[1] ?? "";
  if (given === "none")
    throw new InvalidArgument("native.cgroupdriver option none is internally used and cannot be specified manually");
  if (given !== "" && given !== "cgroupfs" && given !== "systemd")
    throw new InvalidArgument(`native.cgroupdriver option ${given} not supported`);
  const driver = given === "" ? (systemd ? "systemd" : "cgroupfs") : given;
  const { cgroupParent } = config;
  if (
    driver === "systemd" &&
    cgroupParent !== "" &&
    (cgroupParent.length <= ".slice".length || !cgroupParent.endsWith(".slice"))
  ) {
    throw new InvalidArgument('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"');
  }
  return driver;
}
