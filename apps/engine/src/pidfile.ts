import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "@longshore/atomicfile";
import { FailedPrecondition } from "@longshore/errdefs";
import { flock, LOCK } from "@longshore/sys";

async function isAlive(pid: number): Promise<boolean> {
  if (pid <= 0 || pid === process.pid) return false;
  try {
    // A number may have been given to another program since.
    return /engine\/(src\/main\.ts|build\/dockerd\.mjs)/.test(await readFile(`/proc/${pid}/cmdline`, "utf8"));
  } catch {
    return false;
  }
}

/** Who is to be asked to end a process: a unit of systemd, or `npm stop`. */
async function startedBy(pid: number): Promise<string> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const unit = /\/(longshore[^/\n]*\.service)(\/|$)/m.exec(groups)?.[1];
  return unit === undefined
    ? " (`npm stop` ends one that `npm start` has started)"
    : ` (systemd's unit ${unit} runs it)`;
}

/** Writes the pid file. @throws FailedPrecondition with dockerd's text while its process lives */
export async function writePidFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const old = Number(await readFile(path, "utf8").catch(() => "0"));
  if (await isAlive(old))
    throw new FailedPrecondition(
      `failed to start daemon, ensure docker is not running or delete ${path}: process with PID ${old} is still running${await startedBy(old)}`,
    );
  await writeFileAtomic(path, `${process.pid}`, 0o644);
}

/** Unless it names another process by now. */
export async function removePidFile(path: string): Promise<void> {
  if (Number(await readFile(path, "utf8").catch(() => "0")) === process.pid) await unlink(path);
}

/**
 * Takes the data root for this process alone, until it ends however it may.
 * @throws FailedPrecondition while another engine has it
 */
export async function lockDataRoot(dataRoot: string): Promise<() => void> {
  await mkdir(dataRoot, { recursive: true, mode: 0o710 });
  const fd = openSync(join(dataRoot, "engine.lock"), "a", 0o600);
  try {
    flock(fd, LOCK.EX | LOCK.NB);
  } catch (error) {
    closeSync(fd);
    throw new FailedPrecondition(`failed to start daemon: another engine uses the data root ${dataRoot}`, {
      cause: error,
    });
  }
  return () => closeSync(fd);
}
