import { readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { type StagedFiles, stageFiles, writeFileAtomic } from "@longshore/atomicfile";
import type { Pace } from "@longshore/concurrency";
import { DataLoss, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { removeTree } from "@longshore/sys";
import type { Context } from "./context.ts";
import { logDamageOf } from "../logging/log-damage.ts";
import { loadRecords } from "../records/load.ts";
import type { ContainerRecord, HostConfig } from "./record.ts";

const configFile = "config.v2.json";
const hostConfigFile = "hostconfig.json";

export interface Stored {
  record: ContainerRecord;
  hostConfig: HostConfig;
}

/** Writes both files of a container; each is whole at any moment. */
export async function saveContainer(dir: string, stored: Stored): Promise<void> {
  await (await stageContainer(dir, stored)).publish();
}

/** Writes both files of a container, as they are now unless there is a pace; they count once they are published. */
export async function stageContainer(dir: string, { record, hostConfig }: Stored, pace?: Pace): Promise<StagedFiles> {
  if (pace !== undefined) await pace.pause();
  const hostConfigText = JSON.stringify(hostConfig);
  if (pace !== undefined) await pace.pause();
  // The record comes last: a directory without it is no container yet.
  return stageFiles(dir, { [hostConfigFile]: hostConfigText, [configFile]: JSON.stringify(record) });
}

export async function saveRecord(dir: string, record: ContainerRecord): Promise<void> {
  await writeFileAtomic(join(dir, configFile), JSON.stringify(record));
}

/** Ids of the containers that were set aside. */
export async function damagedIds(damagedRoot: string): Promise<Set<string>> {
  return new Set((await readdir(damagedRoot)).map((name) => name.slice(0, 64)));
}

/** The containers that were set aside, and the logs that cannot be read whole, in words. */
export async function damagedContainers({ settings, store }: Pick<Context, "settings" | "store">): Promise<string[]> {
  const dir = join(settings.dataRoot, "damaged");
  const records = (await readdir(dir)).map(
    (name) => `the record of container ${name.slice(0, 12)} was damaged and set aside as ${join(dir, name)}`,
  );
  return [...records, ...store.list().flatMap(logDamageOf)];
}

/**
 * Loads every container below `root`. A directory that was never finished is removed; one whose
 * files are damaged is moved to `<root>/../damaged` and reported, so that the rest can go on.
 */
export async function loadContainers(root: string, damagedRoot: string, log: Logger): Promise<Stored[]> {
  const loaded: Stored[] = [];
  const owners = new Map<string, string>();
  for (const id of await readdir(root)) {
    const dir = join(root, id);
    if (!/^[0-9a-f]{64}$/.test(id)) continue;
    try {
      const names = await readdir(dir);
      if (!names.includes(configFile)) {
        if (await hasLogged(dir, names)) throw new DataLoss(`${configFile} is missing, though the container has run`);
        log.warn({ container: id }, "removing a container whose creation was cut short");
        await removeTree(dir);
        continue;
      }
      const stored = await loadRecords(dir, { config: configFile, hostConfig: hostConfigFile });
      const owner = owners.get(stored.record.Name);
      if (owner !== undefined) throw new DataLoss(`container ${owner} has the name ${stored.record.Name}, too`);
      owners.set(stored.record.Name, id);
      loaded.push(stored);
    } catch (error) {
      // That is this process's want, not the record's fault.
      if (["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error))) throw error;
      const aside = join(damagedRoot, `${id}.${Date.now()}`);
      await rename(dir, aside);
      log.error({ container: id, aside }, `container ${id} cannot be loaded and was set aside: ${messageOf(error)}`);
    }
  }
  return loaded;
}

/** Whether there are lines of a log: a container that was never finished has none. */
async function hasLogged(dir: string, names: readonly string[]): Promise<boolean> {
  const logs = names.filter((name) => name.includes(".log"));
  if (names.includes("local-logs"))
    logs.push(...(await readdir(join(dir, "local-logs"))).map((name) => join("local-logs", name)));
  for (const name of logs) if ((await stat(join(dir, name))).size > 0) return true;
  return false;
}

function codeOf(error: unknown): string {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code ?? (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
}
