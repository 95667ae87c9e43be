import { messageOf } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { installed } from "../bridge/installed.ts";
import { CommandFailed, run } from "../run.ts";
import { rulesOf } from "./nft.ts";

const program = "firewall-cmd";
/** By Docker's names, so that an administrator's settings for them hold here. */
const zone = "docker";
const policy = "docker-forwarding";

/** Milliseconds after which a firewalld that did not run is looked for again. */
const askAgain = 60_000;

/** What firewalld has to know to let containers' packets through, as dockerd sets it up. */
const setUp = [
  ["--permanent", `--new-zone=${zone}`],
  ["--permanent", `--zone=${zone}`, "--set-target=ACCEPT"],
  ["--permanent", `--zone=${zone}`, "--set-description=zone for docker bridge network interfaces"],
];
const setUpPolicy = [
  ["--permanent", `--new-policy=${policy}`],
  ["--permanent", `--policy=${policy}`, "--set-target=ACCEPT"],
  ["--permanent", `--policy=${policy}`, "--add-ingress-zone=ANY"],
  ["--permanent", `--policy=${policy}`, `--add-egress-zone=${zone}`],
];

/**
 * The bridges' place in firewalld, where it runs: it rejects what is forwarded between zones that
 * nothing lets through, whatever other tables say. Each of our bridges is an interface of the zone
 * `docker`, which accepts. The assignments are not permanent: a reload of firewalld forgets them.
 */
export class Firewalld {
  readonly #log: Logger;
  readonly #assigned = new Set<string>();
  /** When it was last found not to run; a time of `performance.now`. */
  #absent = -Infinity;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Puts these bridges into the zone and takes out those of before that are no more. A firewalld that refuses is reported, not an error. */
  async assign(bridges: readonly string[]): Promise<void> {
    const gone = [...this.#assigned].filter((device) => !bridges.includes(device));
    if (!installed(program) || (gone.length === 0 && (await Firewalld.#knows(bridges))) || !(await this.#runs()))
      return;
    try {
      await Firewalld.#ensureZone();
      const present = (await run(program, [`--zone=${zone}`, "--list-interfaces"])).split(/\s+/);
      for (const device of bridges) {
        if (!present.includes(device)) await run(program, [`--zone=${zone}`, `--change-interface=${device}`]);
        this.#assigned.add(device);
      }
      for (const device of gone) {
        if (present.includes(device)) await run(program, [`--zone=${zone}`, `--remove-interface=${device}`]);
        this.#assigned.delete(device);
      }
    } catch (error) {
      this.#log.warn({ err: error }, `firewalld may not let containers' packets through: ${messageOf(error)}`);
    }
  }

  /** Whether firewalld's rules name all of these bridges: told without asking it, which is slow. */
  static async #knows(bridges: readonly string[]): Promise<boolean> {
    const rules = await rulesOf(["inet firewalld"]);
    return rules !== undefined && bridges.every((device) => rules.includes(`"${device}"`));
  }

  async #runs(): Promise<boolean> {
    const here = await rulesOf(["inet firewalld"]);
    // With its older backend it has no such table, but it is not asked each time whether it has come to life.
    if (here === undefined && performance.now() - this.#absent < askAgain) return false;
    try {
      await run(program, ["--state"]);
      return true;
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      this.#absent = performance.now();
      return false;
    }
  }

  static async #ensureZone(): Promise<void> {
    const zones = (await run(program, ["--get-zones"])).split(/\s+/);
    const policies = (await run(program, ["--get-policies"])).split(/\s+/);
    const missing = [...(zones.includes(zone) ? [] : setUp), ...(policies.includes(policy) ? [] : setUpPolicy)];
    if (missing.length === 0) return;
    for (const step of missing) await run(program, step).catch(tolerateExisting);
    // New zones and policies are there after a reload only.
    await run(program, ["--reload"]);
  }
}

/** One that is in the permanent configuration, but was not loaded yet, is brought to what it should be. */
function tolerateExisting(error: unknown): void {
  if (!(error instanceof CommandFailed) || !/NAME_CONFLICT|ALREADY_ENABLED/.test(error.stderr)) throw error;
}
