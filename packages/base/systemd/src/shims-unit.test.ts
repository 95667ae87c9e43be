import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openShimsUnit, type SystemdHost } from "./shims-unit.ts";

const cgroup = "/system.slice/longshore-shims.service";

/** A machine of files, on which systemd-run makes the unit's control group. */
class FakeHost implements SystemdHost {
  readonly root = mkdtempSync(join(tmpdir(), "systemd-"));
  readonly calls: string[] = [];
  #up = false;
  readonly folders: string[];

  constructor(own: string, hierarchies: readonly string[]) {
    this.#write("proc/self/cgroup", own);
    mkdirSync(join(this.root, "run/systemd/system"), { recursive: true });
    this.folders = hierarchies.map((hierarchy) => join(this.root, "sys/fs/cgroup", hierarchy, cgroup));
    if (hierarchies[0] === "") this.#write("sys/fs/cgroup/cgroup.procs", "");
  }

  #write(path: string, text: string): void {
    mkdirSync(join(this.root, path, ".."), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  stop(): void {
    this.#up = false;
    for (const folder of this.folders) rmSync(folder, { recursive: true });
  }

  async run(program: string, args: readonly string[]): Promise<string> {
    this.calls.push(program);
    if (program === "systemctl") return this.#up ? `${cgroup}\n` : "\n";
    assert.ok(args.includes("--property=KillMode=process"), args.join(" "));
    for (const folder of this.folders) mkdirSync(folder, { recursive: true });
    this.#up = true;
    return "";
  }

  get entered(): string[] {
    return this.folders.map((folder) => readFileSync(join(folder, "cgroup.procs"), "utf8"));
  }
}

describe("the unit of what outlives the daemons", () => {
  const hosts: FakeHost[] = [];
  const errors: unknown[] = [];
  const host = (own: string, hierarchies: readonly string[]): FakeHost => {
    const made = new FakeHost(own, hierarchies);
    hosts.push(made);
    return made;
  };
  afterEach(() => {
    for (const { root } of hosts.splice(0)) rmSync(root, { recursive: true });
    errors.splice(0);
  });
  const failed = (error: unknown): void => void errors.push(error);

  for (const [name, own, hierarchies] of [
    ["cgroup v2", "0::/system.slice/longshore-containerd.service\n", [""]],
    ["cgroup v1", "4:cpu,cpuacct:/\n1:name=systemd:/system.slice/longshore-containerd.service\n", ["systemd"]],
    ["both", "1:name=systemd:/user.slice/session-1.scope\n0::/user.slice/session-1.scope\n", ["systemd", "unified"]],
  ] as const) {
    it(`takes processes in, with ${name}`, async () => {
      const made = host(own, hierarchies);
      (await openShimsUnit(failed, made))(77);
      assert.deepEqual(
        made.entered,
        hierarchies.map(() => "77"),
      );
      assert.deepEqual(made.calls, ["systemctl", "systemd-run", "systemctl"]);
      (await openShimsUnit(failed, made))(78);
      assert.equal(made.calls.length, 4, "the second daemon finds it");
      assert.deepEqual(errors, []);
    });
  }

  it("leaves everything where it is without systemd, and outside of its units", async () => {
    const without = host("0::/system.slice/longshore-containerd.service\n", [""]);
    rmSync(join(without.root, "run"), { recursive: true });
    const outside = host("0::/\n", [""]);
    for (const each of [without, outside]) {
      (await openShimsUnit(failed, each))(77);
      assert.deepEqual(each.calls, []);
    }
  });

  it("is opened again after somebody has stopped it", async () => {
    const made = host("0::/system.slice/longshore-containerd.service\n", [""]);
    const place = await openShimsUnit(failed, made);
    made.stop();
    place(77);
    assert.equal(errors.length, 1);
    while (made.calls.length < 5) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    place(78);
    assert.deepEqual(made.entered, ["78"]);
  });

  it("says why it cannot be opened, and the daemon goes on", async () => {
    const made = host("0::/system.slice/longshore-containerd.service\n", [""]);
    made.run = () => Promise.reject(new Error("Failed to connect to bus"));
    (await openShimsUnit(failed, made))(77);
    assert.equal(errors.length, 1);
  });
});
