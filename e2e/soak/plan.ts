import { Random } from "@longshore/fuzz";

/** Whom a round kills. */
type Victims = "engine" | "containerd" | "both";

/** What one round does. It follows from the seed and the round's number, not from how earlier rounds went. */
export interface Plan {
  round: number;
  /** Containers that print `count` numbers, the last after `seconds`, and exit with `code`. */
  jobs: Job[];
  execs: { afterMs: number; code: number }[];
  /** When each of the other commands begins; undefined: not in this round. */
  pullAfterMs: number | undefined;
  commitAfterMs: number | undefined;
  publishAfterMs: number | undefined;
  /** Forced removal of a container that runs. */
  removeAfterMs: number | undefined;
  victims: Victims;
  killAfterMs: number;
  /** Between the deaths when both die. */
  betweenMs: number;
  /** How long nobody is there. */
  awayMs: number;
  /** A shim is killed so long after the daemons; negative: before. */
  shimAfterMs: number | undefined;
}

export interface Job {
  afterMs: number;
  attached: boolean;
  count: number;
  seconds: number;
  code: number;
}

/** The other commands spread over this time, the kill falls into it. */
const loadMs = 900;

export function planOf(seed: string, round: number): Plan {
  const random = new Random(`${seed}/${round}`);
  const maybe = (probability: number): number | undefined =>
    random.chance(probability) ? random.int(0, loadMs) : undefined;
  const job = (attached: boolean): Job => ({
    afterMs: random.int(0, loadMs),
    attached,
    count: random.int(1, 3000),
    seconds: random.int(0, 20) / 10,
    code: random.int(2, 99),
  });
  return {
    round,
    jobs: [job(false), job(false), job(true)],
    execs: Array.from({ length: 3 }, () => ({ afterMs: random.int(0, loadMs), code: random.int(2, 99) })),
    pullAfterMs: maybe(0.5),
    commitAfterMs: maybe(0.5),
    publishAfterMs: maybe(0.5),
    removeAfterMs: maybe(0.5),
    victims: random.pick(["engine", "containerd", "both"]),
    killAfterMs: random.int(0, loadMs),
    betweenMs: random.int(-50, 50),
    awayMs: random.int(0, 600),
    // Every tenth round, whatever the seed, so that a short run has some too.
    shimAfterMs: round % 10 === 5 ? random.int(-200, 200) : undefined,
  };
}
