import assert from "node:assert/strict";
import { docker, dockerOk, engineServes, eventually, machine } from "./shared.ts";

/** A machine that is restarted by its administrator. */
describe("a restart of the machine", () => {
  const state = (name: string) => dockerOk("inspect", "-f", "{{.State.Status}}", name);

  it("takes containers up again as their policies say, with their networks, ports and logs", async () => {
    await dockerOk("network", "create", "booted");
    const run = (name: string, policy: string) =>
      dockerOk(
        "run",
        "-d",
        "--name",
        name,
        `--restart=${policy}`,
        "--network=booted",
        "-p",
        "80",
        "busybox",
        "sh",
        "-c",
        "echo up; exec sleep 100000",
      );
    await Promise.all([
      run("always", "always"),
      run("unless", "unless-stopped"),
      run("stopped", "unless-stopped"),
      run("never", "no"),
    ]);
    await dockerOk("stop", "-t", "0", "stopped");
    await machine().restart();
    await engineServes();
    await eventually(
      "both run",
      async () => (await state("always")) === "running" && (await state("unless")) === "running",
    );
    assert.equal(await state("stopped"), "exited");
    assert.equal(await state("never"), "exited");
    assert.equal(await dockerOk("logs", "always"), "up\nup");
    assert.match(await dockerOk("port", "always"), /80\/tcp/);
    const seen = await dockerOk("exec", "unless", "ping", "-c", "1", "-W", "20", "always");
    assert.match(seen, /1 packets received/);
    assert.equal(await machine().ok("systemctl --failed --no-legend"), "");
    await docker("rm", "-f", "always", "unless", "stopped", "never");
    await dockerOk("network", "rm", "booted");
  });
});
