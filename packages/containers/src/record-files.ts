import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { type StagedFiles, stageFiles, writeFileAtomic } from "@longshore/atomicfile";
import { DataLoss, messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/log";
import { removeTree } from "@longshore/sys";
import type { Context } from "./context.ts";
import { logDamageOf } from "./log-damage.ts";
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

/** Writes both files of a container; they count once they are published. */
export function stageContainer(dir: string, { record, hostConfig }: Stored): Promise<StagedFiles> {
  // The record comes last: a directory without it is no container yet.
  return stageFiles(dir, { [hostConfigFile]: JSON.stringify(hostConfig), [configFile]: JSON.stringify(record) });
}

export async function saveRecord(dir: string, record: ContainerRecord): Promise<void> {
  await writeFileAtomic(join(dir, configFile), JSON.stringify(record));
}

/** @throws DataLoss when a file cannot be read as what it should be */
async function loadContainer(dir: string, id: string): Promise<Stored> {
  try {
    const record = JSON.parse(await readFile(join(dir, configFile), "utf8")) as ContainerRecord;
    const hostConfig = JSON.parse(await readFile(join(dir, hostConfigFile), "utf8")) as HostConfig;
    if (record.ID !== id) throw new DataLoss(`the record is of container ${JSON.stringify(record.ID)}`);
    if (typeof record.Name !== "string" || typeof record.State?.Running !== "boolean" || typeof record.Config !== "object") {
      throw new DataLoss("the record lacks its name, state or configuration");
    }
    return { record, hostConfig };
  } catch (error) {
    throw new DataLoss(`container ${id} cannot be loaded from ${dir}: ${messageOf(error)}`, { cause: error });
  }
}

/** Ids of the containers that were set aside. */
export async function damagedIds(damagedRoot: string): Promise<Set<string>> {
  return new Set((await readdir(damagedRoot)).map((name) => name.slice(0, 64)));
}

/** The containers that were set aside, and the logs that cannot be read whole, in words. */
export async function damagedContainers({ settings, store }: Pick<Context, "settings" | "store">): Promise<string[]> {
  const dir = join(settings.dataRoot, "damaged");
  const records = (await readdir(dir)).map((name) => `the record of container ${name.slice(0, 12)} was damaged and set aside as ${join(dir, name)}`);
  return [...records, ...store.list().flatMap(logDamageOf)];
}

/**
 * Loads every container below `root`. A directory that was never finished is removed; one whose
 * files are damaged is moved to `<root>/../damaged` and reported, so that the rest can go on.
 */
export async function loadContainers(root: string, damagedRoot: string, log: Logger): Promise<Stored[]> {
  const loaded: Stored[] = [];
  for (const id of await readdir(root)) {
    const dir = join(root, id);
    if (!/^[0-9a-f]{64}$/.test(id)) continue;
    const names = await readdir(dir);
    if (!names.includes(configFile)) {
      log.warn({ container: id }, "removing a container whose creation was cut short");
      await removeTree(dir);
      continue;
    }
    try {
      loaded.push(await loadContainer(dir, id));
    } catch (error) {
      const aside = join(damagedRoot, `${id}.${Date.now()}`);
      await rename(dir, aside);
      log.error({ err: error, container: id, aside }, "a damaged container record was set aside");
    }
  }
  return loaded;
}
