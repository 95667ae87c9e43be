import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type Result, must } from "../host/exec.ts";
import { until } from "../host/until.ts";
import { repository } from "../engine/tools.ts";
import { GuestAgent } from "./guest-agent.ts";

const images = process.env["LONGSHORE_VM_IMAGES"] ?? "/var/cache/longshore/tests/vm";
/** Without hardware's help everything takes some twenty times as long. */
const bootMs = 240_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/**
 * A virtual machine with Debian's own kernel and systemd, emulated in software, in which Longshore is installed at
 * /opt/longshore. What it writes to its disk lasts as long as it is switched on.
 */
export class Machine {
  readonly #dir: string;
  readonly #qemu: ChildProcess | undefined;
  readonly #agent: GuestAgent;

  /** Here, leads to the port 2375 of the machine. */
  readonly port: number;

  private constructor(dir: string, port: number, qemu: ChildProcess | undefined) {
    this.#dir = dir;
    this.port = port;
    this.#qemu = qemu;
    this.#agent = new GuestAgent(join(dir, "agent"));
  }

  /** Makes the image when it is missing or old, switches the machine on and waits until it has started. @param suite of Debian */
  static async boot(suite: string): Promise<Machine> {
    const scripts = join(repository, "scripts/testing/vm");
    await must("bash", [join(scripts, "image"), suite, images], { timeoutMs: 1_800_000 });
    const dir = mkdtempSync("/var/tmp/longshore-vm-");
    await must("bash", [join(scripts, "disk"), join(dir, "now.img")]);
    const port = await freePort();
    writeFileSync(join(dir, "port"), String(port));
    const image = (name: string): string => join(images, suite, name);
    const disk = (file: string): string[] => ["-drive", `file=${file},format=raw,if=virtio,cache=unsafe,snapshot=on`];
    const args = [
      ["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-cpu", "max,la57=off"],
      ["-smp", "2", "-m", "2048", "-accel", "tcg,thread=multi,tb-size=512"],
      ["-kernel", image("vmlinuz"), "-initrd", image("initrd.img")],
      ["-append", "root=/dev/vda rw console=ttyS0 mitigations=off panic=-1"],
      [...disk(image("root.img")), ...disk(join(dir, "now.img"))],
      ["-nic", `user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:${port}-:2375`, "-device", "virtio-rng-pci"],
      ["-serial", `file:${join(dir, "console")}`],
      ["-device", "virtio-serial-pci", "-chardev", `socket,id=agent,path=${join(dir, "agent")},server=on,wait=off`],
      ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
    ].flat();
    const qemu = spawn("nice", ["-n", "15", "qemu-system-x86_64", ...args], { stdio: ["ignore", "ignore", "inherit"] });
    const machine = new Machine(dir, port, qemu);
    process.once("exit", () => machine.#destroy());
    try {
      await until("qemu has started", () => existsSync(join(dir, "agent")) || qemu.exitCode !== null);
      await machine.started();
      return machine;
    } catch (error) {
      const said = existsSync(join(dir, "console")) ? readFileSync(join(dir, "console"), "latin1").slice(-3000) : "";
      await machine.off();
      throw new Error(`the machine did not start; its console:\n${said}`, { cause: error });
    }
  }

  /** Uses one that is on already, and leaves it on. @param dir of that machine */
  static async attach(dir: string): Promise<Machine> {
    const machine = new Machine(dir, Number(readFileSync(join(dir, "port"), "utf8")), undefined);
    await machine.started();
    return machine;
  }

  /** Waits until a machine that starts, or starts again, is up. */
  async started(): Promise<void> {
    await this.#agent.ready(bootMs);
  }

  /** Runs a shell script in the machine to its end. Its time is one without hardware's help on a busy machine. */
  sh(script: string, options: { input?: string; timeoutMs?: number } = {}): Promise<Result> {
    return this.#agent.exec(["/bin/bash", "-c", script], options);
  }

  /** Like `sh`, but a failing script rejects; gives stdout without its last newline. */
  async ok(script: string, options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script, options);
    if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr || stdout}`);
    return stdout.replace(/\n$/, "");
  }

  /** Restarts it as an administrator would, and waits until it is up again. */
  async restart(): Promise<void> {
    const before = await this.ok("cat /proc/sys/kernel/random/boot_id");
    await this.ok("systemd-run -q --no-block systemctl reboot");
    await until(
      "the machine has gone down",
      async () => {
        await this.started();
        return (await this.ok("cat /proc/sys/kernel/random/boot_id")) !== before;
      },
      bootMs,
    );
  }

  /** Takes its power. */
  async off(): Promise<void> {
    this.#agent.close();
    const qemu = this.#qemu;
    if (qemu && qemu.exitCode === null && qemu.signalCode === null) {
      const ended = once(qemu, "exit");
      qemu.kill("SIGKILL");
      await ended;
    }
    this.#destroy();
  }

  #destroy(): void {
    if (!this.#qemu) return;
    this.#qemu.kill("SIGKILL");
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
