import { spawn } from "node:child_process";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { parseArgs } from "node:util";
import { importBusybox } from "../engine/busybox.ts";
import { must } from "../host/exec.ts";
import { Engine, median } from "./engines.ts";

/**
 * Throughput and latency of the ways into a container, through two engines in turn:
 *   node e2e/bench/traffic.ts [--rounds 5] [--seconds 1] [--only TEXT] OURS PEER
 * with two values of DOCKER_HOST (unix sockets of this machine). Prints a Markdown table of medians;
 * a ratio is ours/peer's: for rates more is better, for times less is. Needs root and perl.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    docker: { type: "string", default: "docker" },
  },
});
const [ours = "", peer = ""] = positionals;
if (peer === "") throw new Error("two engines are needed: traffic.ts OURS PEER");

const generator = new URL("generator.pl", import.meta.url).pathname;
const port = 7007;
const works = ["send", "receive", "roundtrip", "connect", "datagrams", "udp-roundtrip"] as const;
type Work = (typeof works)[number];

/** One way to a container: from where, and to which address and port. */
interface Path {
  name: string;
  /** What a command of the client's begins with. */
  inside: string[];
  address: string;
  port: number;
}

/** An engine with a server and a client container in a network of their own. */
class Side {
  readonly #engine: Engine;
  readonly #name = `traffic-${process.pid}`;
  #server: ReturnType<typeof spawn> | undefined;

  constructor(host: string) {
    this.#engine = new Engine(host, values.docker);
  }

  /** @param outside a namespace beside the host, and the host's address as seen from there */
  async paths(outside: { netns: string; address: string }): Promise<Path[]> {
    const name = this.#name;
    if ((await this.#engine.ok(["image", "ls", "-q", "busybox"])) === "") await importBusybox(this.#engine);
    await this.#engine.ok(["network", "create", name]);
    await this.#engine.ok([
      "run",
      "-d",
      "--name",
      `${name}-server`,
      "--network",
      name,
      "-p",
      `${port}/tcp`,
      "-p",
      `${port}/udp`,
      "busybox",
      "sleep",
      "10000",
    ]);
    await this.#engine.ok(["run", "-d", "--name", `${name}-client`, "--network", name, "busybox", "sleep", "10000"]);
    const pid = (container: string) => this.#engine.ok(["inspect", "-f", "{{.State.Pid}}", container]);
    const address = await this.#engine.ok([
      "inspect",
      "-f",
      "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
      `${name}-server`,
    ]);
    this.#server = spawn(
      "nsenter",
      ["-t", await pid(`${name}-server`), "-n", "perl", generator, "serve", String(port)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = once(this.#server, "exit").then(() => Promise.reject(new Error("the generator does not serve")));
    await Promise.race([once(this.#server.stdout!, "data"), ended]);
    ended.catch(() => undefined);
    const published = async (proto: string) =>
      Number((await this.#engine.ok(["port", `${name}-server`, `${port}/${proto}`])).split("\n")[0]?.split(":").at(-1));
    const [tcp, udp] = [await published("tcp"), await published("udp")];
    const own =
      Object.values(networkInterfaces())
        .flat()
        .find((each) => each?.family === "IPv4" && !each.internal && !each.address.startsWith("172."))?.address ??
      outside.address;
    const way = (way: string, inside: string[], to: string): Path[] => [
      { name: `${way}, TCP`, inside, address: to, port: tcp },
      { name: `${way}, UDP`, inside, address: to, port: udp },
    ];
    const client = ["nsenter", "-t", await pid(`${name}-client`), "-n"];
    return [
      ...way("published port, from the host by its address", [], own),
      ...way("published port, from the host by loopback", [], "127.0.0.1"),
      ...way("published port, from another namespace", ["ip", "netns", "exec", outside.netns], outside.address),
      { name: "between two containers, TCP", inside: client, address, port },
      { name: "between two containers, UDP", inside: client, address, port },
    ];
  }

  async dispose(): Promise<void> {
    this.#server?.kill();
    for (const args of [
      ["rm", "-f", `${this.#name}-server`, `${this.#name}-client`],
      ["network", "rm", this.#name],
    ])
      await this.#engine.ok(args).catch(() => undefined);
  }
}

/** @returns bytes a second, or microseconds (median and the 99th percentile) */
async function run(
  { inside, address, port: to }: Path,
  work: Work,
): Promise<{ rate: number } | { median: number; p99: number }> {
  const [command = "", ...args] = [...inside, "perl", generator, work, address, String(to), values.seconds];
  return JSON.parse(await must(command, args)) as { rate: number } | { median: number; p99: number };
}

const fits = (path: Path, work: Work) =>
  path.name.endsWith("UDP") === (work === "datagrams" || work === "udp-roundtrip");

async function measure(sides: readonly Path[][]): Promise<void> {
  console.log("| path | work | unit | ours | peer | ratio | ratio of p99 | n |\n|---|---|---|---|---|---|---|---|");
  for (const [index, { name }] of (sides[0] ?? []).entries()) {
    for (const work of works) {
      if (!fits({ name } as Path, work) || !`${name} ${work}`.includes(values.only)) continue;
      const results: { main: number[]; tail: number[] }[] = sides.map(() => ({ main: [], tail: [] }));
      for (let round = 0; round < Number(values.rounds); round++) {
        // Who begins changes, so that neither always runs on what the other left behind.
        const order = [...sides.keys()];
        for (const side of round % 2 === 0 ? order : order.toReversed()) {
          const result = await run(sides[side]![index]!, work);
          results[side]?.main.push("rate" in result ? result.rate / 1e6 : result.median);
          if ("p99" in result) results[side]?.tail.push(result.p99);
        }
      }
      const [our = NaN, their = NaN] = results.map(({ main }) => median(main));
      const [ourTail = NaN, theirTail = NaN] = results.map(({ tail }) => median(tail));
      const digits = our > 100 ? 0 : 1;
      const tail = Number.isNaN(ourTail) ? "" : (ourTail / theirTail).toFixed(2);
      const unit = Number.isNaN(ourTail) ? "MB/s" : "µs";
      console.log(
        `| ${name} | ${work} | ${unit} | ${our.toFixed(digits)} | ${their.toFixed(digits)} | ${(our / their).toFixed(2)} | ${tail} | ${values.rounds} |`,
      );
    }
  }
}

const outside = { netns: `traffic-${process.pid}`, address: "198.18.77.1" };
const link = `tr${process.pid}`;
const sides = [new Side(ours), new Side(peer)];
try {
  await must("ip", ["netns", "add", outside.netns]);
  await must("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", outside.netns]);
  await must("ip", ["address", "add", `${outside.address}/30`, "dev", link]);
  await must("ip", ["link", "set", link, "up"]);
  for (const args of [
    "addr add 198.18.77.2/30 dev eth0",
    "link set eth0 up",
    "link set lo up",
    `route add default via ${outside.address}`,
  ]) {
    await must("ip", ["-n", outside.netns, ...args.split(" ")]);
  }
  const paths: Path[][] = [];
  for (const side of sides) paths.push(await side.paths(outside));
  await measure(paths);
} finally {
  for (const side of sides) await side.dispose();
  await must("ip", ["netns", "delete", outside.netns]).catch(() => undefined);
}
