import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Longshore } from "../engine/longshore.ts";
import { Disk } from "../host/disk.ts";
import { exec } from "../host/exec.ts";
import { PowerCut } from "../host/power-cut.ts";
import { until } from "../host/until.ts";

/** Every moment takes minutes; of these, the tests take one in so many, others each time. */
const stride = {
  cut: Number(process.env["LONGSHORE_POWER_CUT_STRIDE"] ?? 13),
  kill: Number(process.env["LONGSHORE_KILL_STRIDE"] ?? 130),
};

/** The link of the network that is made: known by name, since a reboot takes it away. */
const bridge = `lsq${process.pid}`;

/** The work: what each command must have brought about once it has succeeded. `kept` is there before. */
const steps: { args: string[]; gives?: [kind: Kind, name: string]; takes?: [kind: Kind, name: string] }[] = [
  { args: ["volume", "create", "--label", "a=b", "vol"], gives: ["volume", "vol"] },
  {
    args: ["network", "create", "--label", "a=b", "-o", `com.docker.network.bridge.name=${bridge}`, "net"],
    gives: ["network", "net"],
  },
  {
    args: ["create", "--name", "new", "--network", "none", "-v", "vol:/v", "busybox", "true"],
    gives: ["container", "new"],
  },
  { args: ["commit", "kept", "committed"], gives: ["image", "committed"] },
  { args: ["rename", "new", "renamed"], gives: ["container", "renamed"], takes: ["container", "new"] },
  { args: ["tag", "busybox", "tagged"], gives: ["image", "tagged"] },
  { args: ["rm", "renamed"], takes: ["container", "renamed"] },
  { args: ["rmi", "tagged"], takes: ["image", "tagged"] },
  { args: ["network", "rm", "net"], takes: ["network", "net"] },
  { args: ["volume", "rm", "vol"], takes: ["volume", "vol"] },
];
type Kind = "container" | "image" | "network" | "volume";

const listing: Record<Kind, string[]> = {
  container: ["ps", "-a", "--format", "{{.Names}}"],
  image: ["images", "--format", "{{.Repository}}"],
  network: ["network", "ls", "--filter", "driver=bridge", "--format", "{{.Name}}"],
  volume: ["volume", "ls", "-q"],
};

describe("a power cut", () => {
  const folder = mkdtempSync(join(tmpdir(), "power-cut-"));
  const longshore = new Longshore({
    bridge: `lsp${process.pid}`,
    address: `10.214.${process.pid % 250}.1/24`,
    disk: "disk",
  });
  const disk = new Disk(join(longshore.dir, "disk"), 64);
  const power = new PowerCut(folder, disk.path);
  const base = join(folder, "base.img");

  before(async function () {
    this.timeout(120_000);
    await power.build();
    await disk.format();
    await disk.mount();
    await longshore.start();
    await importBusybox(longshore);
    await longshore.ok(["create", "--name", "kept", "--network", "none", "busybox", "true"]);
    await end();
    await disk.unmount();
    await disk.copyTo(base);
  });

  after(async function () {
    this.timeout(60_000);
    // An engine that ends by itself takes its rules off the host.
    await disk.restoreFrom(base);
    await disk.mount();
    await start({});
    await longshore.engine.stop();
    await longshore.containerd.stop();
    await disk.remove();
    await longshore.dispose();
    power.close();
    rmSync(folder, { recursive: true });
  });

  async function end(): Promise<void> {
    await Promise.all([longshore.engine.kill(), longshore.containerd.kill()]);
    // What a reboot would take away.
    rmSync(join(longshore.dir, "run"), { recursive: true, force: true });
    await exec("ip", ["link", "delete", bridge]);
  }

  async function start(env: Record<string, string>): Promise<void> {
    longshore.containerd.env = longshore.engine.env = env;
    await longshore.containerd.start();
    await longshore.engine.start();
  }

  const names = async (kind: Kind): Promise<string[]> =>
    (await longshore.ok(listing[kind])).split("\n").filter((name) => name !== "" && name !== "bridge");

  /** Starts on what the disk holds: all that was done is there, and nothing is there by half. */
  async function check(done: number, moment: string): Promise<void> {
    await start({});
    for (const kind of Object.keys(listing) as Kind[]) {
      // A removal that was cut off goes on beside us, and may take what was listed.
      const there = await until(`${moment}: every ${kind} can be inspected`, async () => {
        const listed = await names(kind);
        if (listed.length > 0) await longshore.ok([kind, "inspect", ...listed]);
        return listed;
      });
      const wanted = new Map([[kind === "container" ? "kept" : "busybox", kind === "container" || kind === "image"]]);
      for (const { gives, takes } of steps.slice(0, done)) {
        if (takes?.[0] === kind) wanted.set(takes[1], false);
        if (gives?.[0] === kind) wanted.set(gives[1], true);
      }
      // The command that was cut off may have gone either way.
      for (const unsure of [steps[done]?.takes, steps[done]?.gives]) if (unsure?.[0] === kind) wanted.delete(unsure[1]);
      for (const [name, is] of wanted)
        assert.equal(there.includes(name), is, `${moment}: ${kind} ${name}; there are ${there}`);
      if (kind === "volume" && there.includes("vol"))
        assert.equal(await longshore.ok(["volume", "inspect", "-f", "{{.Labels}}", "vol"]), "map[a:b]", moment);
      if (kind === "network" && there.includes("net"))
        assert.equal(await longshore.ok(["network", "inspect", "-f", "{{.Labels}}", "net"]), "map[a:b]", moment);
    }
    assert.doesNotMatch(await longshore.ok(["info", "-f", "{{.Warnings}}"]), /damaged|set aside/, moment);
    // Whatever is there can be used and removed, and then the same work succeeds.
    for (const image of await names("image"))
      await longshore.ok(["rm", await longshore.ok(["create", "--network", "none", image, "true"])]);
    for (const name of await names("container")) if (name !== "kept") await longshore.ok(["rm", name]);
    for (const name of await names("image")) if (name !== "busybox") await longshore.ok(["rmi", name]);
    for (const name of await names("network")) await longshore.ok(["network", "rm", name]);
    for (const name of await names("volume")) await longshore.ok(["volume", "rm", name]);
    for (const { args } of steps) await longshore.ok(args);
    const data = join(disk.path, "data");
    assert.equal(readdirSync(join(data, "containers")).length, 1, moment);
    assert.deepEqual(readdirSync(join(data, "volumes")), [], moment);
    assert.deepEqual(readdirSync(join(data, "damaged")), [], moment);
    const { stdout } = await longshore.ctr(["-n", "moby", "containers", "ls", "-q"]);
    assert.equal(stdout.trim().split("\n").length, 1, moment);
    const folders = join(disk.path, "containerd/io.containerd.snapshotter.v1.overlayfs/snapshots");
    // Removing a lease like this collects garbage, and waits for it.
    await longshore.ctr(["-n", "moby", "leases", "create", "--id", "sweep"]);
    await longshore.ctr(["-n", "moby", "leases", "rm", "--sync", "sweep"]);
    const table = (await longshore.ctr(["-n", "moby", "snapshots", "ls"])).stdout;
    await until(
      `${moment}: only snapshots have folders`,
      () => readdirSync(folders).length === table.trim().split("\n").length - 1,
    );
  }

  async function round(mode: "cut" | "kill", target: number): Promise<boolean> {
    const moment = `${mode} ${target}`;
    await disk.restoreFrom(base);
    await disk.mount();
    try {
      await start(power.env);
      power.arm(mode, target);
      let done = 0;
      for (; done < steps.length; done++) {
        const step = steps[done];
        if (step === undefined || (await longshore.docker(step.args)).code !== 0) break;
        if (mode === "cut" && power.count >= target) {
          // It may have taken the power cut for a success only if nothing of it was lost.
          done++;
          break;
        }
      }
      const reached = power.count >= target;
      power.disarm();
      assert.ok(reached || done === steps.length, `${moment}: ${steps[done]?.args.join(" ")} failed by itself`);
      await end();
      if (!reached) return false;
      if (mode === "cut") {
        await disk.unmount();
        await disk.mount();
      }
      await check(done, moment);
      return true;
    } finally {
      power.disarm();
      await end();
      await disk.unmount();
    }
  }

  for (const [mode, what] of [
    ["cut", "before any sync: what was done stays, the rest is undone, and it works again"],
    ["kill", "SIGKILL at any write: the same"],
  ] as const) {
    it(what, async function () {
      this.timeout(3_600_000);
      let rounds = 0;
      const first = 1 + Math.floor(Math.random() * stride[mode]);
      for (let target = first; await round(mode, target); target += stride[mode]) {
        if (process.env["LONGSHORE_POWER_CUT_STRIDE"]) process.stderr.write(`${mode} ${target}\n`);
        rounds++;
      }
      assert.ok(rounds > 0, "nothing was written");
    });
  }
});
