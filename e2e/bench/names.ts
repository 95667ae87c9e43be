import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { addresses, KeptSocket } from "../dns/client.ts";
import { importBusybox } from "../engine/busybox.ts";
import { must } from "../host/exec.ts";

/**
 * Containers of one network look each other up by name, at a steady rate, while others of them come and go:
 *   node e2e/bench/names.ts [--containers 200] [--rate 500] [--seconds 30] [--churn 5] HOST…
 * with values of DOCKER_HOST (unix sockets of this machine), one after the other. A query fails that has no
 * answer within 5 s, or another address than the container's. Needs root.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    containers: { type: "string", default: "200" },
    rate: { type: "string", default: "500" },
    seconds: { type: "string", default: "30" },
    churn: { type: "string", default: "5" },
    docker: { type: "string", default: "docker" },
  },
});
const [count, rate, seconds, churn] = [
  Number(values.containers),
  Number(values.rate),
  Number(values.seconds),
  Number(values.churn),
];
const prefix = `names-${process.pid}`;

interface Result {
  asked: number;
  failures: string[];
  milliseconds: number[];
  restarts: number;
}

/** Works with so many at a time. */
async function inParallel<T>(list: readonly T[], width: number, work: (each: T) => Promise<unknown>): Promise<void> {
  const rest = [...list];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
    }),
  );
}

const nameOf = (index: number) => `${prefix}-${index}`;

async function load(docker: (...args: string[]) => Promise<string>): Promise<Result> {
  const template = "{{.Name}} {{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const lines = (
    await docker("inspect", "-f", template, ...Array.from({ length: count }, (_, index) => nameOf(index)))
  ).split("\n");
  const members = lines
    .map((line) => line.split(" "))
    .map(([name = "", pid = "", address = ""]) => ({ name: name.slice(1), pid: Number(pid), address }));
  const [steady, changing] = [members.slice(churn), members.slice(0, churn)];
  const sockets = await Promise.all(steady.map(({ pid }) => KeptSocket.open(pid)));
  const result: Result = { asked: 0, failures: [], milliseconds: [], restarts: 0 };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
  const ask = async () => {
    const { name, address } = pick(steady);
    result.asked++;
    const begin = performance.now();
    try {
      const found = addresses(await pick(sockets).ask(name, "A", { timeoutMs: 5000 }));
      if (found.join() !== address) result.failures.push(`${name}: ${found.join()} in the place of ${address}`);
      else result.milliseconds.push(performance.now() - begin);
    } catch (error) {
      result.failures.push(String(error));
    }
  };
  const begin = performance.now();
  const ended = () => performance.now() - begin > seconds * 1000;
  const come = async () => {
    for (let index = 0; !ended() && changing.length > 0; index = (index + 1) % changing.length) {
      await docker("restart", "-t", "0", changing[index]!.name);
      result.restarts++;
      await sleep(200);
    }
  };
  const coming = come();
  const pending: Promise<void>[] = [];
  for (; !ended(); await sleep(1))
    while (result.asked < ((performance.now() - begin) / 1000) * rate) pending.push(ask());
  await Promise.all(pending);
  await coming;
  for (const socket of sockets) socket[Symbol.dispose]();
  return result;
}

async function measure(host: string): Promise<void> {
  const docker = async (...args: string[]) =>
    (await must(values.docker, args, { env: { DOCKER_HOST: host }, timeoutMs: 120_000 })).trim();
  if ((await docker("image", "ls", "-q", "busybox")) === "") await importBusybox({ ok: (args) => docker(...args) });
  await docker("network", "create", prefix);
  const indices = Array.from({ length: count }, (_, index) => index);
  try {
    await inParallel(indices, 4, (index) =>
      docker("run", "-d", "--name", nameOf(index), "--network", prefix, "busybox", "sleep", "100000"),
    );
    const { asked, failures, milliseconds, restarts } = await load(docker);
    const sorted = milliseconds.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(2);
    console.log(
      `| ${host} | ${count} | ${(asked / seconds).toFixed(0)} | ${asked} | ${failures.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${restarts} |`,
    );
    for (const failure of failures.slice(0, 5)) console.log(`  ${failure}`);
  } finally {
    await docker("rm", "-f", ...indices.map(nameOf)).catch(() => undefined);
    await docker("network", "rm", prefix);
  }
}

console.log(
  "| engine | containers | queries/s | queries | failures | p50, ms | p99, ms | slowest, ms | restarts meanwhile |\n|---|---|---|---|---|---|---|---|---|",
);
for (const host of positionals) await measure(host);
