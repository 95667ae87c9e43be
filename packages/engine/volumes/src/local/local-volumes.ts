import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeDir, syncDir } from "@longshore/atomicfile";
import type { EmitEvent, Volume, VolumeCreateOptions } from "@longshore/docker-api";
import { Conflict, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { removeTree, unmountAll } from "@longshore/sys";
import type { LocalVolumeStore } from "../contract.ts";
import { copyTree } from "./copy-tree.ts";
import { validateOptions } from "../drivers/driver-options.ts";
import { KeyedMutex } from "@longshore/concurrency";
import { isMounted, mountLocal, needsMount } from "./local-mount.ts";
import { anonymousLabel, anonymousName, validateName } from "../names.ts";
import {
  dataDir,
  readRecord,
  recordsAside,
  setRecordAside,
  showVolume,
  type VolumeRecord,
  writeRecord,
} from "../record.ts";
import { sizeOf } from "./size.ts";

/** Names of directories that are being made or removed: no volume's can begin with a dot. */
const unfinished = ".unfinished-";

/** Bytes in the name of a file. */
const maxFileName = 255;

function seconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** Docker's `local` driver: `<data-root>/volumes/<name>/_data`. */
export class LocalVolumes implements LocalVolumeStore {
  readonly #root: string;
  readonly #emit: EmitEvent;
  readonly #log: Logger;
  readonly #records = new Map<string, VolumeRecord>();
  readonly #references = new Map<string, Set<string>>();
  /** Containers that have the volume mounted now. */
  readonly #users = new Map<string, Set<string>>();
  readonly #locks = new KeyedMutex();

  readonly #damage = new Map<string, string>();

  private constructor(root: string, emit: EmitEvent, log: Logger) {
    this.#root = root;
    this.#emit = emit;
    this.#log = log;
  }

  /** Reads the volumes below `<dataRoot>/volumes`, and ends what an earlier process left half done. */
  static async open(options: { dataRoot: string; emit: EmitEvent; log: Logger }): Promise<LocalVolumes> {
    const root = join(options.dataRoot, "volumes");
    await makeDir(root, 0o701);
    const volumes = new LocalVolumes(root, options.emit, options.log);
    for (const entry of await readdir(root, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      if (entry.name.startsWith(unfinished)) await removeTree(join(root, entry.name));
      else await volumes.#load(entry.name);
    }
    return volumes;
  }

  async #load(name: string): Promise<void> {
    const dir = this.#dir(name);
    for (const leftover of await readdir(dir)) {
      if (leftover.startsWith(unfinished)) await removeTree(join(dir, leftover));
    }
    const created = seconds((await stat(dir)).mtime);
    const record = await readRecord(dir).catch((error: unknown) => {
      this.#log.error(
        { err: error, volume: name },
        "a volume's record cannot be read: set aside, its data are kept without labels and options",
      );
      return undefined;
    });
    if (record === undefined) await setRecordAside(dir);
    for (const file of await recordsAside(dir))
      this.#damage.set(file, `the record of volume ${name} was damaged and set aside as ${file}`);
    this.#records.set(name, record ?? { name, created, labels: null, options: null });
  }

  /** What was damaged and set aside, in words. */
  damage(): string[] {
    return [...this.#damage].filter(([file]) => existsSync(file)).map(([, sentence]) => sentence);
  }

  #dir(name: string): string {
    return join(this.#root, name);
  }

  #record(name: string): VolumeRecord {
    const record = this.#records.get(name);
    if (!record) throw new NotFound(`get ${name}: no such volume`);
    return record;
  }

  #show(record: VolumeRecord): Volume {
    return showVolume(record, this.#dir(record.name));
  }

  async create(options: Partial<VolumeCreateOptions>): Promise<Volume> {
    const anonymous = (options.Name ?? "") === "";
    const name = anonymous ? anonymousName() : (options.Name ?? "");
    const driver = options.Driver ?? "";
    if (driver !== "" && driver !== "local")
      throw new NotFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`);
    return this.#locks.run(name, async () => {
      const existing = this.#records.get(name);
      if (existing) return this.#show(existing);
      validateName(name);
      const driverOptions = options.DriverOpts ?? {};
      validateOptions(name, driverOptions);
      const labels = anonymous ? { ...options.Labels, [anonymousLabel]: "" } : (options.Labels ?? null);
      const record: VolumeRecord = {
        name,
        created: seconds(new Date()),
        labels,
        options: Object.keys(driverOptions).length > 0 ? driverOptions : null,
      };
      await this.#make(record);
      this.#records.set(name, record);
      this.#emit("volume", "create", { ID: name, Attributes: { driver: "local" } });
      return this.#show(record);
    });
  }

  /** Whole or not at all: made aside, then given its name. */
  async #make(record: VolumeRecord): Promise<void> {
    const dir = this.#dir(record.name);
    if (Buffer.byteLength(record.name) > maxFileName)
      throw failed(record.name, dir, `mkdir ${dir}: file name too long`);
    const aside = join(this.#root, `${unfinished}${randomBytes(8).toString("hex")}`);
    try {
      await mkdir(aside, { mode: 0o701 });
      await mkdir(dataDir(aside), { mode: 0o755 });
      await writeRecord(aside, record);
      await rename(aside, dir);
    } catch (error) {
      await removeTree(aside);
      throw failed(record.name, dir, error);
    }
    await syncDir(this.#root);
  }

  has(name: string): boolean {
    return this.#records.has(name);
  }

  async get(name: string): Promise<Volume> {
    return this.#show(this.#record(name));
  }

  async list(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    return { volumes: [...this.#records.values()].map((record) => this.#show(record)), warnings: [] };
  }

  remove(name: string, force: boolean): Promise<void> {
    return this.#locks.run(name, async () => {
      if (force && !this.#records.has(name)) return;
      this.#record(name);
      const users = this.references(name);
      if (users.length > 0) throw new Conflict(`remove ${name}: volume is in use - [${users.join(", ")}]`);
      await this.#destroy(name);
    });
  }

  /** Gone for good with the rename; what remains of it is removed now or at the next start. */
  async #destroy(name: string): Promise<void> {
    unmountAll(dataDir(this.#dir(name)));
    const aside = join(this.#root, `${unfinished}${randomBytes(8).toString("hex")}`);
    await rename(this.#dir(name), aside);
    await syncDir(this.#root);
    this.#records.delete(name);
    this.#users.delete(name);
    this.#emit("volume", "destroy", { ID: name, Attributes: { driver: "local" } });
    await removeTree(aside);
  }

  async prune(matches: (volume: Volume) => boolean): Promise<{ deleted: string[]; reclaimed: number }> {
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const name of [...this.#records.keys()]) {
      await this.#locks.run(name, async () => {
        const record = this.#records.get(name);
        // As Docker: what is elsewhere, as options say, is not the prune's to end.
        if (!record || record.options !== null || this.references(name).length > 0 || !matches(this.#show(record)))
          return;
        const size = await sizeOf(dataDir(this.#dir(name)));
        await this.#destroy(name);
        deleted.push(name);
        reclaimed += size;
      });
    }
    return { deleted, reclaimed };
  }

  async usage(): Promise<Volume[]> {
    const own = [...this.#records.values()].filter(({ options }) => options === null);
    return Promise.all(
      own.map(async (record) => {
        const Size = await sizeOf(dataDir(this.#dir(record.name)));
        return { ...this.#show(record), UsageData: { RefCount: this.references(record.name).length, Size } };
      }),
    );
  }

  reference(name: string, containerId: string): void {
    const holders = this.#references.get(name) ?? new Set();
    this.#references.set(name, holders.add(containerId));
  }

  dereference(name: string, containerId: string): void {
    const holders = this.#references.get(name);
    holders?.delete(containerId);
    if (holders?.size === 0) this.#references.delete(name);
  }

  references(name: string): string[] {
    return [...new Set([...(this.#references.get(name) ?? []), ...(this.#users.get(name) ?? [])])];
  }

  mount(name: string, containerId: string): Promise<string> {
    return this.#locks.run(name, async () => {
      const { options } = this.#record(name);
      const path = dataDir(this.#dir(name));
      const users = this.#users.get(name) ?? new Set();
      if (needsMount(options) && users.size === 0 && !isMounted(path)) await mountLocal(path, options);
      this.#users.set(name, users.add(containerId));
      return path;
    });
  }

  unmount(name: string, containerId: string): Promise<void> {
    return this.#locks.run(name, async () => {
      const users = this.#users.get(name);
      users?.delete(containerId);
      if (users !== undefined && users.size > 0) return;
      this.#users.delete(name);
      const options = this.#records.get(name)?.options ?? null;
      if (needsMount(options)) unmountAll(dataDir(this.#dir(name)));
    });
  }

  async copyUp(source: string, volumePath: string): Promise<void> {
    const name = basename(dirname(volumePath));
    await this.#locks.run(name, async () => {
      if (!(await stat(source)).isDirectory() || (await readdir(volumePath)).length > 0) return;
      // Others see the directory they have mounted: it must stay the same one, filled as it is.
      if (isMounted(volumePath) || (this.#users.get(name)?.size ?? 0) > 1 || volumePath !== dataDir(this.#dir(name))) {
        await copyTree(source, volumePath);
        return;
      }
      const aside = join(dirname(volumePath), `${unfinished}${randomBytes(8).toString("hex")}`);
      await mkdir(aside, { mode: 0o755 });
      try {
        await copyTree(source, aside);
        await rename(aside, volumePath);
      } catch (error) {
        await removeTree(aside);
        throw error;
      }
    });
  }
}

/** dockerd's words for a volume that could not be made, whatever file it was. */
function failed(name: string, dir: string, error: unknown): Unknown {
  return new Unknown(`create ${name}: error while creating volume root path '${dir}': ${messageOf(error)}`, {
    cause: error,
  });
}
