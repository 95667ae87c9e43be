import { readdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@longshore/logger";
import { isBlocked, type LogDamage } from "@longshore/logging";
import type { Container } from "../model/container.ts";

/** What ends the names of what stood in a log's place. */
const asideSuffix = ".aside";

/** Keeps what is the matter with a container's log, for as long as the container is there, and logs it once. */
export function noteLogDamage(container: Container, { path, problem }: LogDamage, log: Logger): void {
  const file = basename(path);
  if (container.logDamage.get(file) === problem) return;
  container.logDamage.set(file, problem);
  log.warn({ container: container.id, path, problem }, "a log cannot be read whole");
}

/** In words. */
export function logDamageOf(container: Container): string[] {
  return [...container.logDamage].map(
    ([file, problem]) =>
      `the log of container ${container.id.slice(0, 12)} was damaged: ${join(container.dir, file)}: ${problem}`,
  );
}

/** Sets aside what is no file and stands where a container's log will be written. */
export async function clearLogPath(container: Container, log: Logger): Promise<void> {
  const { LogPath } = container.record;
  if (LogPath === "" || !(await isBlocked(LogPath))) return;
  const aside = `${LogPath}.${Date.now()}${asideSuffix}`;
  await rename(LogPath, aside);
  noteAside(container, basename(aside));
  log.error({ container: container.id, aside }, "what was in the place of a log was set aside");
}

/** Finds again what a former engine set aside. */
export async function findLogsAside(container: Container): Promise<void> {
  for (const name of await readdir(container.dir)) if (name.endsWith(asideSuffix)) noteAside(container, name);
}

function noteAside(container: Container, name: string): void {
  container.logDamage.delete(basename(container.record.LogPath));
  container.logDamage.set(name, "it was in the log's place and was set aside");
}
