import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../host/port.ts";
import { until } from "../host/until.ts";
import { tool } from "../engine/tools.ts";

/** The stock registry server on a free loopback port, with its data in a folder of its own. */
export class Registry {
  readonly dir = mkdtempSync(join(tmpdir(), "e2e-registry-"));
  address = "";
  #child: ChildProcess | undefined;

  async start(): Promise<void> {
    const port = await freePort();
    this.address = `127.0.0.1:${port}`;
    const config = join(this.dir, "config.yml");
    writeFileSync(
      config,
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${this.dir}/data}, delete: {enabled: true}}\nhttp: {addr: "${this.address}"}\n`,
    );
    this.#child = spawn(tool("docker-registry"), ["serve", config], { stdio: "ignore" });
    await until("the registry answers", async () => (await fetch(`http://${this.address}/v2/`)).ok);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
    rmSync(this.dir, { recursive: true });
  }
}
