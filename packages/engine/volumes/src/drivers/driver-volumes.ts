import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EmitEvent, Volume, VolumeCreateOptions } from "@longshore/docker-api";
import { Conflict, isKind, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import type { VolumeStore } from "../contract.ts";
import { type DriverRecord, DriverRecords } from "./driver-records.ts";
import type { DriverVolume, VolumeDriver, VolumeDrivers } from "./driver.ts";
import { KeyedMutex } from "@longshore/concurrency";
import type { LocalVolumes } from "../local/local-volumes.ts";
import { anonymousLabel, anonymousName } from "../names.ts";
import { showDriverVolume, unseen } from "./show-driver-volume.ts";
import { absent, unchecked, volumeIn } from "../volume-in.ts";

/** Pauses before a driver that was away is told which uses have ended, in milliseconds. */
const firstPauseMs = 2000;
const longestPauseMs = 60_000;

interface Options {
  dataRoot: string;
  local: LocalVolumes;
  drivers: VolumeDrivers;
  emit: EmitEvent;
  log: Logger;
}

/** Volumes of all drivers: what none of the others has is the local one's. */
export class DriverVolumes implements VolumeStore {
  readonly #options: Options;
  readonly #local: LocalVolumes;
  readonly #records: DriverRecords;
  readonly #damage: string[];
  readonly #locks = new KeyedMutex();
  readonly #references = new Map<string, Set<string>>();
  /** Uses that this process knows of, as `volume container`. */
  readonly #claimed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;

  private constructor(options: Options, records: DriverRecords, damage: string[]) {
    this.#options = options;
    this.#local = options.local;
    this.#records = records;
    this.#damage = damage;
  }

  /** Reads the records of volumes that drivers keep, from `<dataRoot>/volumes/plugins.json`; asks no driver. */
  static async open(options: Options): Promise<DriverVolumes> {
    const records = await DriverRecords.open(join(options.dataRoot, "volumes", "plugins.json"), (sentence) =>
      options.log.error(sentence),
    );
    return new DriverVolumes(options, records, await records.aside());
  }

  /** What was damaged and set aside, in words. */
  damage(): string[] {
    return this.#damage
      .filter((file) => existsSync(file))
      .map((file) => `the records of plugins' volumes were damaged and set aside as ${file}`);
  }

  async create(options: Partial<VolumeCreateOptions>): Promise<Volume> {
    const driver = options.Driver ?? "";
    const anonymous = (options.Name ?? "") === "";
    const name = anonymous ? anonymousName() : (options.Name ?? "");
    return this.#locks.run(name, async () => {
      const record = await this.#current(name);
      const existing = record?.driver ?? (this.#local.has(name) ? "local" : undefined);
      if (existing !== undefined && driver !== "" && driver !== existing) {
        if (driver !== "local") await this.#driverFor(`create ${name}: `, driver);
        throw new Conflict(
          `create ${name}: driver '${existing}' already has volume '${name}': volume name must be unique`,
        );
      }
      const wanted = existing ?? (driver || "local");
      // Whether a volume has no name is the local driver's own affair.
      if (wanted === "local")
        return this.#local.create(anonymous ? { ...options, Driver: "" } : { ...options, Driver: "local" });
      const labels = anonymous ? { ...options.Labels, [anonymousLabel]: "" } : (options.Labels ?? null);
      return this.#createWith(await this.#driverFor(`create ${name}: `, wanted), name, {
        labels,
        options: options.DriverOpts ?? null,
      });
    });
  }

  /** The record of a volume; one that its driver no longer knows is forgotten. */
  async #current(name: string): Promise<DriverRecord | undefined> {
    const record = this.#records.get(name);
    if (record === undefined || this.references(name).length > 0) return record;
    try {
      await (await this.#driverFor("", record.driver)).get(name);
      return record;
    } catch (error) {
      if (!isKind(error, "NotFound"))
        throw new Unknown(
          `create ${name}: found reference to volume '${name}' in driver '${record.driver}', but got an error while checking the driver: ${unchecked(name, record.driver, error)}`,
          { cause: error },
        );
      await this.#records.delete(name);
      return undefined;
    }
  }

  async #createWith(
    driver: VolumeDriver,
    name: string,
    { labels, options }: Pick<DriverRecord, "labels" | "options">,
  ): Promise<Volume> {
    const known = this.#records.get(name);
    if (known !== undefined)
      return showDriverVolume({ ...(await this.#seen(driver, name)), name }, known, driver.name, false);
    const found = await driver.get(name, { retry: false }).catch(() => undefined);
    const given = options !== null && Object.keys(options).length > 0 ? options : null;
    if (found === undefined) {
      await driver.create(name, given).catch((error: unknown) => {
        throw new Unknown(`create ${name}: ${messageOf(error)}`, { cause: error });
      });
    }
    const record: DriverRecord = {
      driver: driver.name,
      scope: await driver.scope(),
      labels,
      options: given,
      mounts: {},
    };
    await this.#records.set(name, record);
    if (found === undefined) this.#options.emit("volume", "create", { ID: name, Attributes: { driver: driver.name } });
    return showDriverVolume(
      found ?? { ...unseen, name, createdAt: new Date().toISOString().replace(/\.\d+Z$/, "Z") },
      record,
      driver.name,
      false,
    );
  }

  async #seen(driver: VolumeDriver, name: string): Promise<DriverVolume> {
    return driver.get(name, { retry: false }).catch(() => ({ ...unseen, name }));
  }

  /** @throws NotFound `… error looking up volume plugin x: …`, Unavailable, Unknown */
  async #driverFor(
    prefix: string,
    name: string,
    options: { retry: boolean; wait?: boolean } = { retry: true },
  ): Promise<VolumeDriver> {
    try {
      return await this.#options.drivers.get(name, options);
    } catch (error) {
      const message = `${prefix}error looking up volume plugin ${name}: ${messageOf(error)}`;
      if (!options.retry && isKind(error, "Unavailable")) throw error;
      throw isKind(error, "NotFound")
        ? new NotFound(message, { cause: error })
        : new Unknown(message, { cause: error });
    }
  }

  async get(name: string): Promise<Volume> {
    const record = this.#records.get(name);
    if (record === undefined) return this.#local.has(name) ? this.#local.get(name) : this.#foreign(name);
    const driver = await this.#driverFor(`get ${name}: `, record.driver, { retry: false }).catch((error: unknown) => {
      throw absent(name, record.driver, error);
    });
    return showDriverVolume(await volumeIn(driver, name), record, driver.name, true);
  }

  /** A volume that a driver has without our doing. */
  async #foreign(name: string): Promise<Volume> {
    for (const driver of await this.#options.drivers.all()) {
      const found = await driver.get(name, { retry: false }).catch(() => undefined);
      if (found !== undefined)
        return showDriverVolume(found, { scope: await driver.scope(), labels: null, options: null }, driver.name, true);
    }
    throw new NotFound(`get ${name}: no such volume`);
  }

  async list(): Promise<{ volumes: Volume[]; warnings: string[] }> {
    const { volumes, warnings } = await this.#local.list();
    const drivers = await this.#options.drivers.all();
    const unlisted = new Map(this.#records.entries());
    const answers = await Promise.all(
      drivers.map(async (driver) => {
        try {
          return { driver, scope: await driver.scope(), found: await driver.list() };
        } catch (error) {
          warnings.push(`list ${driver.name}: ${messageOf(error)}`);
          return undefined;
        }
      }),
    );
    const taken = new Set(volumes.map(({ Name }) => Name));
    for (const answer of answers) {
      if (answer === undefined) continue;
      const { driver, scope, found } = answer;
      for (const [name, record] of unlisted) if (record.driver === driver.name) unlisted.delete(name);
      for (const volume of found.filter(({ name }) => !taken.has(name))) {
        const record = this.#records.get(volume.name);
        if (record !== undefined && record.driver !== driver.name) continue;
        taken.add(volume.name);
        volumes.push(showDriverVolume(volume, record ?? { scope, labels: null, options: null }, driver.name, false));
      }
    }
    for (const [name, record] of unlisted)
      volumes.push(showDriverVolume({ ...unseen, name }, record, record.driver, false));
    const reachable = new Set(drivers.map(({ name }) => name));
    for (const name of new Set([...unlisted.values()].map(({ driver }) => driver)))
      if (!reachable.has(name)) warnings.push(`list ${name}: the plugin cannot be reached`);
    return { volumes, warnings };
  }

  async remove(name: string, force: boolean): Promise<void> {
    const record = this.#records.get(name);
    if (record === undefined && this.#local.has(name)) return this.#local.remove(name, force);
    await this.#locks.run(name, async () => {
      const users = this.references(name);
      if (users.length > 0) throw new Conflict(`remove ${name}: volume is in use - [${users.join(", ")}]`);
      try {
        const driver = await this.#driverFor(`get ${name}: `, record?.driver ?? (await this.#foreign(name)).Driver);
        await volumeIn(driver, name);
        for (const use of Object.values(record?.mounts ?? {}))
          if (use.ended)
            await driver
              .unmount(name, use.id)
              .catch((error: unknown) =>
                this.#options.log.warn({ err: error, volume: name }, "a volume could not be unmounted"),
              );
        await driver.remove(name).catch((error: unknown) => {
          throw new Unknown(`remove ${name}: ${messageOf(error)}`, { cause: error });
        });
        await this.#records.delete(name);
        this.#options.emit("volume", "destroy", { ID: name, Attributes: { driver: driver.name } });
      } catch (error) {
        if (!force || !isKind(error, "NotFound")) throw error;
        await this.#records.delete(name);
      }
    });
  }

  /** As dockerd: volumes of other drivers are never pruned. */
  prune(matches: (volume: Volume) => boolean): Promise<{ deleted: string[]; reclaimed: number }> {
    return this.#local.prune(matches);
  }

  usage(): Promise<Volume[]> {
    return this.#local.usage();
  }

  reference(name: string, containerId: string): void {
    if (this.#records.get(name) === undefined) return this.#local.reference(name, containerId);
    this.#references.set(name, (this.#references.get(name) ?? new Set()).add(containerId));
  }

  dereference(name: string, containerId: string): void {
    this.#local.dereference(name, containerId);
    const holders = this.#references.get(name);
    holders?.delete(containerId);
    if (holders?.size === 0) this.#references.delete(name);
  }

  references(name: string): string[] {
    const mounted = [...this.#claimed]
      .filter((claim) => claim.startsWith(`${name} `))
      .map((claim) => claim.slice(name.length + 1));
    return [...new Set([...this.#local.references(name), ...(this.#references.get(name) ?? []), ...mounted])];
  }

  mount(name: string, containerId: string): Promise<string> {
    const record = this.#records.get(name);
    if (record === undefined) return this.#local.mount(name, containerId);
    return this.#locks.run(name, async () => {
      this.#claimed.add(`${name} ${containerId}`);
      const use = record.mounts[containerId] ?? { id: randomBytes(32).toString("hex") };
      if (use.path !== undefined && !use.ended) return use.path;
      try {
        record.mounts[containerId] = { id: use.id };
        await this.#records.set(name, record);
        const path = await (await this.#driverFor("", record.driver, { retry: true, wait: true })).mount(name, use.id);
        record.mounts[containerId] = { id: use.id, path };
        await this.#records.set(name, record);
        return path;
      } catch (error) {
        delete record.mounts[containerId];
        this.#claimed.delete(`${name} ${containerId}`);
        await this.#records.set(name, record);
        throw new Unknown(`error while mounting volume '': ${messageOf(error)}`, { cause: error });
      }
    });
  }

  unmount(name: string, containerId: string): Promise<void> {
    const record = this.#records.get(name);
    if (record === undefined) return this.#local.unmount(name, containerId);
    return this.#locks.run(name, async () => {
      const use = record.mounts[containerId];
      this.#claimed.delete(`${name} ${containerId}`);
      if (use === undefined) return;
      const told = await this.#tellEnd(record.driver, name, use.id);
      if (told === "away") {
        // Nobody waits for a driver that is away: it hears of it once it is back.
        record.mounts[containerId] = { ...use, ended: true };
        this.#later();
      } else delete record.mounts[containerId];
      await this.#records.set(name, record);
      if (told instanceof Error)
        throw new Unknown(`error while unmounting volume ${name}: ${messageOf(told)}`, { cause: told });
    });
  }

  /** @returns the driver's refusal, if it has heard it */
  async #tellEnd(driver: string, name: string, id: string): Promise<"heard" | "away" | Error> {
    try {
      await (await this.#driverFor("", driver, { retry: false })).unmount(name, id);
      return "heard";
    } catch (error) {
      if (isKind(error, "Unavailable") || isKind(error, "DeadlineExceeded") || isKind(error, "NotFound")) {
        this.#options.log.warn({ err: error, volume: name }, "a volume cannot be unmounted while its plugin is away");
        return "away";
      }
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  releaseUnclaimed(): void {
    for (const [name, { mounts }] of this.#records.entries()) {
      for (const containerId of Object.keys(mounts).filter((id) => !this.#claimed.has(`${name} ${id}`))) {
        this.unmount(name, containerId).catch((error: unknown) =>
          this.#options.log.warn(
            { err: error, volume: name },
            "a volume that is no longer used could not be unmounted",
          ),
        );
      }
    }
  }

  /** Drivers that were away hear after a while which uses have ended. */
  #later(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const ended = [...this.#records.entries()].filter(([, { mounts }]) =>
        Object.values(mounts).some((use) => use.ended),
      );
      if (ended.length === 0) return void (this.#pauseMs = firstPauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
      this.releaseUnclaimed();
    }, this.#pauseMs).unref();
  }

  copyUp(source: string, volumePath: string): Promise<void> {
    return this.#local.copyUp(source, volumePath);
  }
}
