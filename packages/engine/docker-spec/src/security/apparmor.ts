import { spawn } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { Unknown } from "@longshore/errdefs";
import type { HostFacts } from "../host/host.ts";

/** The profile of containers that name none, on hosts with AppArmor. */
export const defaultAppArmorProfile = "docker-default";

const loadedProfiles = "/sys/kernel/security/apparmor/profiles";
const configDir = "/etc/apparmor.d";

/**
 * The text of the default profile: everything is allowed but mounting and what would reach the
 * host through /proc and /sys. Signals come from outside, from the runtimes and among themselves.
 * @param present which of AppArmor's own files can be included
 */
export function defaultProfileText(present: { tunables: boolean; base: boolean }): string {
  const name = defaultAppArmorProfile;
  return `${present.tunables ? "#include <tunables/global>" : "@{PROC}=/proc/"}

profile ${name} flags=(attach_disconnected,mediate_deleted) {
${present.base ? "  #include <abstractions/base>\n" : ""}
  network,
  capability,
  file,
  umount,

  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send,receive) peer=${name},

  # Of /proc only the processes, /proc/sys/kernel/shm* and the like may be written.
  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  deny mount,

  # Of /sys only /sys/fs/cgroup may be written.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  ptrace (trace,read,tracedby,readby) peer=${name},
}
`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function isLoaded(): Promise<boolean> {
  const profiles = await readFile(loadedProfiles, "utf8");
  return profiles.split("\n").some((line) => line.startsWith(`${defaultAppArmorProfile} (`));
}

async function parse(text: string): Promise<void> {
  const parser = spawn("apparmor_parser", ["-Kr"], { stdio: ["pipe", "ignore", "pipe"] });
  let problem = "";
  parser.stderr.setEncoding("utf8").on("data", (chunk: string) => (problem += chunk));
  const exited = new Promise<number>((resolve, reject) =>
    parser.once("error", reject).once("close", (code) => resolve(code ?? -1)),
  );
  parser.stdin.on("error", () => undefined).end(text);
  const code = await exited;
  if (code !== 0)
    throw new Unknown(
      `AppArmor enabled on system but the ${defaultAppArmorProfile} profile could not be loaded: ${problem.trim()}`,
    );
}

/**
 * Loads the default profile into the kernel, unless the host has no AppArmor or somebody has
 * loaded it. Profiles are lost when the AppArmor service reloads, so this is to be called again.
 * @throws Unknown when apparmor_parser refuses it
 */
export async function ensureAppArmorProfile(host: HostFacts): Promise<void> {
  if (!host.sysInfo.AppArmor || (await isLoaded())) return;
  const [tunables, base] = await Promise.all([
    exists(`${configDir}/tunables/global`),
    exists(`${configDir}/abstractions/base`),
  ]);
  await parse(defaultProfileText({ tunables, base }));
}
