import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { log } from "../log.ts";

/** Names of the files that the shim keeps in a bundle. */
export const bundleFile = {
  config: "config.json",
  rootfs: "rootfs",
  options: "options.json",
  runtime: "runtime",
  pid: "init.pid",
  exit: "init.exit",
  attach: "attach",
} as const;

/** Replaces a file of the bundle so that a killed shim leaves the old or the new content, whole. No container outlives a boot, so nothing is synced. */
export function writeBundleFile(bundle: string, name: string, text: string): void {
  const path = join(bundle, name);
  const temp = `${path}.tmp`;
  const fd = openSync(temp, "w", 0o600);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
}

/** The content of a file of the bundle, undefined when it is not there, or empty as a power cut may leave it. */
export function readBundleFile(bundle: string, name: string): string | undefined {
  try {
    return readFileSync(join(bundle, name), "utf8") || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a file of the bundle; one that cannot be removed now goes with the bundle. */
export function removeBundleFile(bundle: string, name: string): void {
  try {
    rmSync(join(bundle, name), { force: true });
  } catch (error) {
    log("warn", `${name} of the bundle stays`, error);
  }
}

/** How and when a process ended. */
export interface ExitRecord {
  pid: number;
  status: number;
  seconds: number;
  nanoseconds: number;
}

/** Keeps init's exit, so that `delete` knows it after the shim is gone. */
export function writeExit(bundle: string, exit: ExitRecord): void {
  writeBundleFile(bundle, bundleFile.exit, JSON.stringify(exit));
}

export function readExit(bundle: string): ExitRecord | undefined {
  const text = readBundleFile(bundle, bundleFile.exit);
  return text === undefined ? undefined : (JSON.parse(text) as ExitRecord);
}

/** A pid that the runtime wrote; undefined when there is no such file or nothing in it yet. */
export function readPid(bundle: string, name: string): number | undefined {
  const pid = Number.parseInt(readBundleFile(bundle, name) ?? "", 10);
  return pid > 0 ? pid : undefined;
}
