import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Containerd } from "../engine/containerd.ts";
import { Dockerd } from "../stock/dockerd.ts";
import { Registry } from "../stock/registry.ts";
import { Terminal } from "../engine/terminal.ts";
import { until } from "../host/until.ts";

const counting = 'trap "echo bye; exit 3" TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done';

for (const snapshotter of [false, true]) {
  describe(`a stock dockerd on our containerd, ${snapshotter ? "with containerd's image store" : "with its own image store"}`, () => {
    const dir = mkdtempSync("/tmp/ls-swap-");
    let containerd: Containerd;
    let dockerd: Dockerd;

    before(async () => {
      containerd = new Containerd("ours", join(dir, "c"), "moby");
      dockerd = new Dockerd(join(dir, "d"), containerd.address, {
        features: { "containerd-snapshotter": snapshotter },
        runtimes: { longshore: { runtimeType: "io.containerd.longshore.v2" } },
      });
      await containerd.daemon.start();
      await dockerd.daemon.start();
      await importBusybox(dockerd);
    });

    after(async () => {
      await dockerd.dispose();
      await containerd.dispose();
      rmSync(dir, { recursive: true, force: true });
    });

    // What containers need of their shim does not depend on the image store.
    for (const runtime of snapshotter ? ["longshore"] : ["runc", "longshore"]) {
      it(`runs containers with the ${runtime === "runc" ? "stock" : "project's"} shim`, async () => {
        const run = ["run", "--runtime", runtime];
        assert.equal((await dockerd.docker([...run, "--rm", "busybox", "sh", "-c", "exit 7"])).code, 7);
        assert.equal(await dockerd.ok([...run, "--rm", "-i", "busybox", "cat"], { input: "abc" }), "abc");
        const missing = await dockerd.docker([...run, "--rm", "busybox", "nope"]);
        assert.equal(missing.code, 127);
        assert.match(
          missing.stderr,
          /failed to create shim task: OCI runtime create failed: .*exec: "nope": executable file not found in \$PATH/,
        );
        const terminal = new Terminal(dockerd, [
          ...run,
          "--rm",
          "-it",
          "busybox",
          "sh",
          "-c",
          "tty; read x; stty size; exit 4",
        ]);
        await terminal.prints("/dev/pts/0");
        terminal.type("\r");
        await terminal.prints("24 80");
        assert.equal(await terminal.exited, 4);
        await dockerd.ok([...run, "-d", "--name", "counting", "busybox", "sh", "-c", counting]);
        const inside = await dockerd.docker(["exec", "counting", "sh", "-c", "echo in; echo err >&2; exit 5"]);
        assert.deepEqual(inside, { code: 5, stdout: "in\n", stderr: "err\n" });
        await dockerd.ok(["pause", "counting"]);
        await dockerd.ok(["unpause", "counting"]);
        await dockerd.ok(["update", "--memory", "64m", "--memory-swap", "64m", "counting"]);
        assert.match(
          await dockerd.ok(["stats", "--no-stream", "--format", "{{.MemUsage}}", "counting"]),
          /iB \/ 64MiB$/,
        );
        await dockerd.ok(["stop", "counting"]);
        assert.equal(await dockerd.ok(["wait", "counting"]), "3");
        assert.match(await dockerd.ok(["logs", "counting"]), /^0\n1\n[^]*\nbye$/);
        await dockerd.ok(["start", "counting"]);
        await dockerd.ok(["kill", "counting"]);
        assert.equal(await dockerd.ok(["wait", "counting"]), "137");
        await dockerd.ok(["rm", "counting"]);
      });

      if (snapshotter) continue;
      it(`finds containers of the ${runtime === "runc" ? "stock" : "project's"} shim again when either daemon was killed`, async () => {
        await dockerd.ok(["run", "--runtime", runtime, "-d", "--name", "lasting", "busybox", "sh", "-c", counting]);
        await dockerd.ok([
          "run",
          "--runtime",
          runtime,
          "-d",
          "--name",
          "ending",
          "busybox",
          "sh",
          "-c",
          "until [ -e /tmp/gone ]; do sleep 0.05; done; exit 9",
        ]);
        const pid = await dockerd.ok(["inspect", "-f", "{{.State.Pid}}", "ending"]);
        await dockerd.daemon.kill();
        await containerd.daemon.kill();
        writeFileSync(`/proc/${pid}/root/tmp/gone`, "");
        await until("the container has ended", () => !isAlive(Number(pid)));
        await containerd.daemon.start();
        await dockerd.daemon.start();
        await until(
          "dockerd knows the exit",
          async () =>
            (await dockerd.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "ending"])) === "exited 9",
        );
        assert.equal(await dockerd.ok(["exec", "lasting", "echo", "still"]), "still");

        await containerd.daemon.kill();
        await containerd.daemon.start();
        await until("exec works again", async () => (await dockerd.docker(["exec", "lasting", "true"])).code === 0);
        await dockerd.ok(["stop", "lasting"]);
        assert.equal(await dockerd.ok(["wait", "lasting"]), "3");
        const lines = (await dockerd.ok(["logs", "lasting"])).split("\n");
        assert.equal(lines.pop(), "bye");
        assert.deepEqual(
          lines,
          lines.map((_, index) => String(index)),
        );
        await dockerd.ok(["rm", "lasting", "ending"]);
      });
    }

    if (!snapshotter) return;

    it("builds, pushes and pulls images through ours", async () => {
      const registry = new Registry();
      await registry.start();
      try {
        const image = `${registry.address}/team/built:1`;
        const context = join(dir, "context");
        mkdirSync(context);
        writeFileSync(
          join(context, "Dockerfile"),
          'FROM busybox\nRUN echo built >/file\nCOPY Dockerfile /\nCMD ["cat", "/file"]\n',
        );
        await dockerd.ok(["build", "--network", "none", "-t", image, context]);
        assert.equal(await dockerd.ok(["run", "--rm", image]), "built");
        await dockerd.ok(["push", image]);
        await dockerd.ok(["rmi", image]);
        await dockerd.ok(["builder", "prune", "-af"]);
        assert.equal((await dockerd.docker(["image", "inspect", image])).code, 1);
        await dockerd.ok(["pull", image]);
        assert.equal(await dockerd.ok(["run", "--rm", image]), "built");
        await dockerd.ok(["rmi", image]);
      } finally {
        await registry.stop();
      }
    });

    it("commits, saves and loads images through ours", async () => {
      await dockerd.ok(["run", "--name", "changed", "busybox", "sh", "-c", "echo new >/added; rm /etc/group"]);
      assert.deepEqual((await dockerd.ok(["diff", "changed"])).split("\n").toSorted(), [
        "A /added",
        "C /etc",
        "D /etc/group",
      ]);
      await dockerd.ok(["commit", "changed", "changed:1"]);
      const archive = join(dir, "image.tar");
      await dockerd.ok(["save", "-o", archive, "changed:1"]);
      await dockerd.ok(["rm", "changed"]);
      await dockerd.ok(["rmi", "changed:1"]);
      await dockerd.ok(["load", "-i", archive]);
      assert.equal(
        await dockerd.ok(["run", "--rm", "changed:1", "sh", "-c", "cat /added; test -e /etc/group || echo gone"]),
        "new\ngone",
      );
      await dockerd.ok(["rmi", "changed:1"]);
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
