import { isDeepStrictEqual } from "node:util";
import { isKind } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { KeyedMutex } from "@longshore/concurrency";
import type { PluginRelease, Records } from "../records/records.ts";
import type { NetworkPlugins } from "./drivers.ts";
import { asRefusal } from "./refusal.ts";

/** In the order in which they are given back, whoever's they are: what stands on something goes before it. */
const order = {
  "NetworkDriver.RevokeExternalConnectivity": 0,
  "NetworkDriver.Leave": 1,
  "NetworkDriver.DeleteEndpoint": 2,
  "IpamDriver.ReleaseAddress": 3,
  "IpamDriver.ReleasePool": 4,
  "NetworkDriver.DeleteNetwork": 5,
} as const;

export type ReleaseMethod = keyof typeof order;

/** Pauses between tries to give back what nobody waits for, in milliseconds. */
const pauseMs = { first: 2000, longest: 60_000 };

/**
 * What plugins have to be told some day, because they were told the opposite: written down before they
 * are, so that neither a killed engine nor a plugin that is away leaves anything behind at a plugin.
 */
export class PluginReleases {
  readonly #records: Records;
  readonly #plugins: NetworkPlugins;
  readonly #log: Logger;
  /** Owners that are being made and have no record yet. */
  readonly #claimed = new Set<string>();
  /** Plugins of which the log has told that they are away. */
  readonly #away = new Set<string>();
  /** By plugin: what it hears it hears one after the other. */
  readonly #locks = new KeyedMutex();
  #timer: NodeJS.Timeout | undefined;
  #pause = pauseMs.first;
  #closed = false;

  constructor(records: Records, plugins: NetworkPlugins, log: Logger) {
    this.#records = records;
    this.#plugins = plugins;
    this.#log = log;
  }

  /** @param owner id of the network or endpoint that it is about; once that has no record, it is given back */
  plan(owner: string, plugin: string, method: ReleaseMethod, body: object): void {
    this.#records.putRelease({ owner, plugin, method, body });
  }

  /** Nothing is owed: the plugin has refused what it would be owed for. */
  cancel(owner: string, method: ReleaseMethod): void {
    for (const release of this.#of(owner)) if (release.method === method) this.#records.dropRelease(release.id);
  }

  #of(owner: string): PluginRelease[] {
    return this.#sorted((release) => release.owner === owner);
  }

  #sorted(wanted: (release: PluginRelease) => boolean): PluginRelease[] {
    const releases = [...this.#records.releases.values()].filter(wanted).sort((a, b) => a.id - b.id);
    const rank = ({ method }: PluginRelease): number => order[method as ReleaseMethod];
    // One pool after the other, each behind its addresses.
    const poolOf = ({ plugin, body }: PluginRelease): string =>
      `${plugin} ${(body as { PoolID?: string }).PoolID ?? ""}`;
    const pools = [...new Set(releases.map(poolOf))];
    const stage = (release: PluginRelease): number =>
      rank(release) === order["IpamDriver.ReleasePool"] ? order["IpamDriver.ReleaseAddress"] : rank(release);
    return releases.sort(
      (a, b) =>
        stage(a) - stage(b) || pools.indexOf(poolOf(a)) - pools.indexOf(poolOf(b)) || rank(a) - rank(b) || a.id - b.id,
    );
  }

  /** Whether that is still owed. */
  owes(owner: string, method: ReleaseMethod): boolean {
    return this.#of(owner).some((release) => release.method === method);
  }

  /**
   * Gives back what is owed for an owner, or only up to and with `last`. A refusal ends a release, as in dockerd.
   * What a plugin that is away is owed stays so, and is given back once it is there again.
   */
  async settle(owner: string, last: ReleaseMethod = "NetworkDriver.DeleteNetwork"): Promise<void> {
    await this.#give(this.#of(owner).filter(({ method }) => order[method as ReleaseMethod] <= order[last]));
  }

  /** Gives back one thing of an owner that keeps the others. */
  async settleOne(owner: string, method: ReleaseMethod, body: object): Promise<void> {
    const [release] = this.#of(owner).filter((owed) => owed.method === method && isDeepStrictEqual(owed.body, body));
    if (release) await this.#give([release]);
  }

  /**
   * Before a plugin is asked for something new, it hears what it is owed for what is gone: an address
   * that it gives again must not be given back later.
   * @throws what keeps the plugin from hearing it
   */
  async settleWith(plugin: string): Promise<void> {
    await this.#give(
      this.#strays().filter((release) => release.plugin === plugin),
      true,
    );
  }

  #strays(): PluginRelease[] {
    const { networks, endpoints } = this.#records;
    return this.#sorted(({ owner }) => !networks.has(owner) && !endpoints.has(owner) && !this.#claimed.has(owner));
  }

  /** While `work` runs, an owner without a record is one that is just being made. */
  async during<T>(owner: string, work: () => Promise<T>): Promise<T> {
    this.#claimed.add(owner);
    try {
      return await work();
    } finally {
      this.#claimed.delete(owner);
    }
  }

  /** One after the other; of a plugin that is away the rest is left for later. @throws only when `strict` */
  async #give(releases: readonly PluginRelease[], strict = false): Promise<void> {
    const away = new Map<string, unknown>();
    for (const release of releases) {
      if (away.has(release.plugin)) continue;
      const missed = await this.#locks.run(release.plugin, () => this.#giveOne(release, strict));
      if (missed !== undefined) away.set(release.plugin, missed);
    }
    if (away.size > 0) this.#later();
    if (strict) for (const error of away.values()) throw asRefusal(error);
  }

  /** @returns why the plugin did not hear it; undefined when it did */
  async #giveOne(release: PluginRelease, patient: boolean): Promise<unknown> {
    // Somebody else may have given it back meanwhile.
    if (this.#records.releases.get(release.id) !== release) return undefined;
    const { plugin, method, body } = release;
    try {
      await this.#plugins.giveBack(plugin, method, body, patient);
    } catch (error) {
      if (!isKind(error, "Unknown")) {
        if (!this.#away.has(plugin))
          this.#log.warn({ err: error, plugin, method }, "a plugin is away: what it is owed is given back later");
        this.#away.add(plugin);
        return error;
      }
      this.#log.warn({ err: error, plugin, method }, "a plugin refuses to take something back");
    }
    this.#away.delete(plugin);
    this.#records.dropRelease(release.id);
    return undefined;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => this.collect(), this.#pause).unref();
    this.#pause = Math.min(this.#pause * 2, pauseMs.longest);
  }

  /** Gives back in the background what has no owner any more: after a start of the engine, too. */
  collect(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const strays = this.#strays();
    if (strays.length === 0) this.#pause = pauseMs.first;
    this.#give(strays).catch((error: unknown) =>
      this.#log.error({ err: error }, "what plugins are owed cannot be given back"),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#locks.settled();
  }
}
