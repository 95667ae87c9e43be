import { request } from "node:http";
import { parseArgs } from "node:util";
import { must } from "../host/exec.ts";

/** What a benchmark of two engines is called with: `[--rounds N] [--docker PATH] OURS PEER`, two values of DOCKER_HOST (unix sockets). */
export function twoEngines(defaultRounds: number): { engines: [Engine, Engine]; rounds: number } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: String(defaultRounds) },
      docker: { type: "string", default: "docker" },
    },
  });
  const [ours, peer] = positionals;
  if (ours === undefined || peer === undefined) throw new Error("two engines are needed: OURS PEER");
  return { engines: [new Engine(ours, values.docker), new Engine(peer, values.docker)], rounds: Number(values.rounds) };
}

/** One of the engines that are compared. */
export class Engine {
  readonly #host: string;
  readonly #docker: string;

  constructor(host: string, docker: string) {
    this.#host = host;
    this.#docker = docker;
  }

  /** Runs the stock CLI. @returns its output without white space around it */
  async ok(args: readonly string[], options: { cwd?: string } = {}): Promise<string> {
    return (await must(this.#docker, args, { ...options, env: { DOCKER_HOST: this.#host } })).trim();
  }

  /** Calls the API. @throws for an answer of 400 or more */
  call(method: string, path: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.#host.replace("unix://", ""),
          method,
          path,
          headers: { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.on("end", () =>
            (response.statusCode ?? 500) < 400 ? resolve(text) : reject(new Error(`${method} ${path}: ${text}`)),
          );
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

export const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;

/**
 * Runs the same work on both engines in turn and prints a Markdown table of medians, in seconds, and the ratios of single rounds.
 * @param work takes an engine and gives the seconds of each of its steps, named
 */
export async function compare(
  engines: readonly Engine[],
  rounds: number,
  work: (engine: Engine) => Promise<Record<string, number>>,
): Promise<void> {
  const results: Record<string, number>[][] = engines.map(() => []);
  for (let round = 0; round < rounds; round++) {
    // Who begins changes, so that neither always runs on what the other left behind.
    const order = [...engines.keys()];
    for (const index of round % 2 === 0 ? order : order.toReversed())
      results[index]?.push(await work(engines[index] as Engine));
  }
  const whole = (steps: Record<string, number>): number => Object.values(steps).reduce((sum, each) => sum + each, 0);
  const row = (name: string, seconds: (steps: Record<string, number>) => number): void => {
    const [our = [], their = []] = results.map((list) => list.map(seconds));
    const ratios = our.map((each, round) => (each / (their[round] ?? NaN)).toFixed(2)).join(" ");
    console.log(
      `| ${name} | ${median(our).toFixed(2)} | ${median(their).toFixed(2)} | ${(median(our) / median(their)).toFixed(2)} | ${ratios} |`,
    );
  };
  console.log("| work | ours, s | peer, s | ratio | of single rounds |\n|---|---|---|---|---|");
  for (const step of Object.keys(results[0]?.[0] ?? {})) row(step, (steps) => steps[step] ?? NaN);
  row("all", whole);
}

/** The seconds that something takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
