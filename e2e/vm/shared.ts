import { setTimeout as sleep } from "node:timers/promises";
import { type Result, exec } from "../host/exec.ts";
import { until } from "../host/until.ts";
import { importBusybox } from "../engine/busybox.ts";
import { tool } from "../engine/tools.ts";
import { Machine } from "./machine.ts";

/** The suites of Debian that README names; a run has one machine, of one of them. */
const suite = process.env["LONGSHORE_VM_SUITE"] ?? "bookworm";

let shared: Machine | undefined;

/** The machine of all tests of this run, with systemd's units running and an image named busybox. */
export function machine(): Machine {
  if (shared === undefined) throw new Error("the machine is not on");
  return shared;
}

/** Patience with a machine without hardware's help, on a host that has other work. */
const patienceMs = 300_000;

/** `until` in the time of that machine, of which a probe takes little. */
export function eventually<T>(what: string, probe: () => Promise<T>): Promise<NonNullable<T>> {
  const unhurried = async (): Promise<T | undefined> => {
    const result = await probe().catch((error: unknown) => error);
    if (result && !(result instanceof Error)) return result as T;
    await sleep(1000);
    if (result instanceof Error) throw result;
    return undefined;
  };
  return until(what, unhurried, patienceMs);
}

/** The stock CLI, here, on the machine's engine: it would take seconds of processor time there. */
export function docker(...args: string[]): Promise<Result> {
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${machine().port}` };
  return exec(tool("docker"), args, { env, timeoutMs: patienceMs });
}

/** Like `docker`, but a failing command rejects; gives stdout without its last newline. */
export async function dockerOk(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: exit ${code}: ${stderr || stdout}`);
  return stdout.replace(/\n$/, "");
}

/** Waits until the engine answers, after one of its starts. */
export async function engineServes(): Promise<void> {
  await eventually("the engine serves", async () => (await fetch(`http://127.0.0.1:${machine().port}/_ping`)).ok);
}

/** As README says: the units of contrib/systemd. V8 interprets, since an emulator translates again what a compiler writes. */
const install = `
  set -e
  cp /opt/longshore/contrib/systemd/*.service /etc/systemd/system/
  for unit in longshore longshore-containerd; do
    mkdir -p /etc/systemd/system/$unit.service.d
    printf '[Service]\\nEnvironment=NODE_OPTIONS=--jitless\\n' >/etc/systemd/system/$unit.service.d/interpreted.conf
  done
  systemctl daemon-reload
  systemctl -q enable --now longshore-containerd longshore
`;

/** Writes daemon.json: a port for the client outside, and what else a test wants. The engine has to be restarted. */
export async function configure(options: object = {}): Promise<void> {
  const hosts = ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"];
  const input = JSON.stringify({ hosts, tls: false, ...options });
  await machine().ok("mkdir -p /etc/docker && cat >/etc/docker/daemon.json", { input });
}

export const mochaHooks = {
  async beforeAll(this: { timeout(ms: number): void }): Promise<void> {
    this.timeout(2_400_000);
    const on = process.env["LONGSHORE_VM_ON"];
    shared = on === undefined ? await Machine.boot(suite) : await Machine.attach(on);
    await configure();
    await shared.ok(install, { timeoutMs: patienceMs });
    await engineServes();
    await importBusybox({ ok: (args) => dockerOk(...args) });
  },
  async afterAll(): Promise<void> {
    await shared?.off();
  },
};
