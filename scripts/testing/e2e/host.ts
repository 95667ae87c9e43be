import { type ChildProcess, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Ends its process with all others of its process namespace when it ends itself, also by SIGKILL. */
const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];

/**
 * Starts a Node program on a host of its own: namespaces with their own loopback, rules, /sys, /tmp and processes, so that
 * neither what the machine has (another engine's links and rules) nor what else runs on it matters, and nothing outlives
 * it. slirp4netns leads out of it in user space, without a rule on the machine.
 *
 * @param dir an empty folder outside /tmp for what the host keeps
 * @returns the process that the host lives and dies with; the program has its channel and its output on pipes
 */
export async function startOnHost(
  dir: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const command = [
    ...namespaces,
    "tini",
    "--",
    "sh",
    join(import.meta.dirname, "host.sh"),
    dir,
    process.execPath,
    program,
    ...args,
  ];
  const child = spawn("unshare", command, { stdio: ["ignore", "pipe", "pipe", "ipc"], env });
  const ours = readlinkSync("/proc/self/ns/net");
  while (child.exitCode === null && readlinkSync(`/proc/${child.pid}/ns/net`) === ours) await sleep(10);
  const uplink = spawn(
    "slirp4netns",
    ["--configure", "--mtu=1500", "--disable-host-loopback", String(child.pid), "tap0"],
    { stdio: "ignore" },
  );
  const end = (): boolean => child.kill("SIGKILL");
  uplink.once("error", end);
  child.once("exit", () => uplink.kill());
  process.once("exit", () => {
    end();
    uplink.kill();
  });
  return child;
}
