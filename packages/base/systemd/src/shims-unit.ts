import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** One for all daemons of the machine: it only holds what they started. */
const unit = "longshore-shims.service";

/** It is what its one process of its own makes it: whoever stops it ends that alone; no limit of a unit reaches a shim. */
const properties = [
  "Delegate=yes",
  "KillMode=process",
  "TasksMax=infinity",
  "OOMPolicy=continue",
  "OOMScoreAdjust=-999",
];

/** Moves a process to where signals and limits for a daemon's unit do not reach it. */
export type Place = (pid: number) => void;

/** The machine as this package sees it. */
export interface SystemdHost {
  /** Where /run, /proc and /sys are looked for: `/`. */
  root: string;
  /** Runs a program of systemd's to its end. @returns what it printed */
  run(program: string, args: readonly string[]): Promise<string>;
}

const machine: SystemdHost = {
  root: "/",
  run: async (program, args) => (await promisify(execFile)(program, args, { timeout: 30_000 })).stdout,
};

/**
 * Opens the unit for processes that outlive the daemon which starts them. A process stays in its parent's control group, thus
 * in the daemon's unit, where `systemctl kill` and the unit's limits mean it, too. A unit of its own for each would cost every
 * start of a container a call of systemd; one with a delegated control group for all of them may be entered by a write.
 *
 * Without systemd, or with a daemon outside of its units, everything stays where it is.
 * @param failed hears why a process stays in the daemon's unit
 */
export async function openShimsUnit(failed: (error: unknown) => void, host: SystemdHost = machine): Promise<Place> {
  if (!existsSync(join(host.root, "run/systemd/system")) || !isInUnit(host.root)) return () => undefined;
  let folders: string[] = [];
  const open = async (): Promise<void> => {
    folders = [];
    try {
      folders = foldersOf(host.root, (await find(host)) || (await start(host)));
    } catch (error) {
      failed(error);
    }
  };
  let opening: Promise<void> | undefined = open();
  await opening;
  opening = undefined;
  return (pid) => {
    try {
      for (const folder of folders) writeFileSync(join(folder, "cgroup.procs"), String(pid));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return; // it has ended
      failed(error);
      // Somebody has stopped the unit: the next one finds it again.
      opening ??= open().finally(() => (opening = undefined));
    }
  };
}

/** The control group of this process in systemd's hierarchy, or in the unified one. */
function isInUnit(root: string): boolean {
  const own = readFileSync(join(root, "proc/self/cgroup"), "utf8");
  return /^(0:|\d+:name=systemd):.*\.(service|scope)(\/|$)/m.test(own);
}

/** The unit's control group; "" when it does not run. */
async function find(host: SystemdHost): Promise<string> {
  return (await host.run("systemctl", ["show", "--property=ControlGroup", "--value", unit])).trim();
}

async function start(host: SystemdHost): Promise<string> {
  const description = "--description=Longshore's shims, which outlive the daemons";
  try {
    await host.run("systemd-run", [
      "--quiet",
      "--collect",
      `--unit=${unit}`,
      description,
      ...properties.map((property) => `--property=${property}`),
      "sleep",
      "infinity",
    ]);
  } catch (error) {
    // Another daemon may have been faster.
    const found = await find(host);
    if (found === "") throw error;
    return found;
  }
  const found = await find(host);
  if (found === "") throw new Error(`${unit} has no control group`);
  return found;
}

/** Of a control group in each hierarchy that systemd keeps. */
function foldersOf(root: string, cgroup: string): string[] {
  const top = join(root, "sys/fs/cgroup");
  const hierarchies = existsSync(join(top, "cgroup.procs")) ? [top] : [join(top, "systemd"), join(top, "unified")];
  return hierarchies.map((hierarchy) => join(hierarchy, cgroup)).filter((folder) => existsSync(folder));
}
