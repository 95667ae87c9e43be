import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Containerd } from "../engine/containerd.ts";
import { shared } from "../engine/shared.ts";
import { tool } from "../engine/tools.ts";
import { until } from "../host/until.ts";

const image = "example.org/e2e/busybox:1";

const swaps = [
  {
    title: "the stock containerd runs our shim",
    kind: "stock",
    runtime: "io.containerd.longshore.v2",
    binary: "containerd-shim-longshore-v2",
  },
  {
    title: "our containerd runs the stock shim",
    kind: "ours",
    runtime: tool("containerd-shim-runc-v2"),
    binary: "containerd-shim-runc-v2",
  },
] as const;

for (const { title, kind, runtime, binary } of swaps) {
  describe(title, () => {
    const dir = mkdtempSync("/tmp/swap-");
    const containerd = new Containerd(kind, join(dir, "c"), `e2e-swap-${kind}-${process.pid}`);
    const run = (...args: string[]) => containerd.ctr(["run", "--runtime", runtime, ...args], { timeoutMs: 20_000 });
    const started = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await run("-d", ...args);
      assert.equal(code, 0, stderr);
    };
    const status = async (id: string): Promise<string | undefined> =>
      new RegExp(`^${id} +\\d+ +(\\w+)`, "m").exec(await containerd.ok("tasks", "ls"))?.[1];

    before(async () => {
      const archive = join(dir, "image.tar");
      await shared.ok(["tag", "busybox", image]);
      await shared.ok(["save", "-o", archive, image]);
      await shared.ok(["rmi", image]);
      await containerd.daemon.start();
      await containerd.ok("images", "import", archive);
    });

    afterEach(() => containerd.clear());

    after(async () => {
      try {
        await containerd.dispose();
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });

    it("output and exit code, without and with a terminal", async () => {
      const result = await run("--rm", image, "one", "sh", "-c", "echo out; echo err >&2; exit 5");
      assert.deepEqual(result, { code: 5, stdout: "out\n", stderr: "err\n" });
      const terminal = await containerd.terminal(
        ["run", "--runtime", runtime, "--rm", "-t", image, "two", "sh", "-c", "tty; read word; echo got $word; exit 3"],
        [{ prompt: "pts", input: "typed\r" }],
      );
      assert.deepEqual([terminal.code, /^got typed\r*$/m.test(terminal.output)], [3, true], terminal.output);
    });

    it("-d, exec, pause, metrics, kill, exit code", async () => {
      await started(image, "one", "sleep", "300");
      const pid = /^one +(\d+)/m.exec(await containerd.ok("tasks", "ls"))?.[1];
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      assert.match(readFileSync(`/proc/${parent}/cmdline`, "utf8"), new RegExp(binary));
      const exec = await containerd.ctr(["tasks", "exec", "--exec-id", "e1", "one", "sh", "-c", "echo inside; exit 9"]);
      assert.deepEqual([exec.code, exec.stdout], [9, "inside\n"]);
      await containerd.ok("tasks", "pause", "one");
      assert.equal(await status("one"), "PAUSED");
      await containerd.ok("tasks", "resume", "one");
      assert.match(await containerd.ok("tasks", "metrics", "one"), /memory/);
      await containerd.ok("tasks", "kill", "-s", "SIGKILL", "one");
      await until("the task has stopped", async () => (await status("one")) === "STOPPED");
      assert.match((await containerd.ctr(["tasks", "rm", "one"])).stderr, /non-zero exit code 137/);
    });

    it("events", async () => {
      const events = new Lines(
        spawn(tool("ctr"), ["--address", containerd.address, "-n", containerd.namespace, "events"], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      );
      try {
        // Only what comes after the subscription is seen.
        await until(
          "events are seen",
          async () => (
            await containerd.ok("containers", "create", image, `probe${events.probes++}`),
            events.text !== ""
          ),
        );
        await started(image, "one", "sh", "-c", "exit 4");
        await until("the task has stopped", async () => (await status("one")) === "STOPPED");
        await containerd.ctr(["tasks", "rm", "one"]);
        await until("the deletion is told", () => events.text.includes("/tasks/delete"));
        assert.deepEqual(
          [...events.text.matchAll(/ (\/tasks\/\S+)/g)].map(([, topic]) => topic),
          ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"],
        );
        assert.match(events.text, /tasks\/exit .*"exit_status":4/);
      } finally {
        events.end();
      }
    });

    it("a restart and a kill of containerd: shims are found again, ours learns exits that nobody saw", async function () {
      this.timeout(90_000);
      for (let round = 0; round < 3; round++) {
        const [stays, ends] = [`stays${round}`, `ends${round}`];
        await started(image, stays, "sleep", "300");
        await started(image, ends, "sh", "-c", `trap 'exit ${round + 10}' TERM; while :; do sleep 0.05; done`);
        const pid = Number(new RegExp(`^${ends} +(\\d+)`, "m").exec(await containerd.ok("tasks", "ls"))?.[1]);
        // Without its trap, an init does not feel the signal.
        await until(
          "the trap is set",
          () =>
            (Number.parseInt(
              /^SigCgt:\s+[0-9a-f]{8}([0-9a-f]{8})$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!,
              16,
            ) &
              (1 << 14)) !==
            0,
        );
        await (round % 2 === 0 ? containerd.daemon.kill() : containerd.daemon.stop());
        process.kill(pid, "SIGTERM");
        await until("the container has ended", () => gone(pid));
        await containerd.daemon.start();
        assert.deepEqual(
          [await status(stays), await status(ends)],
          ["RUNNING", kind === "ours" ? "STOPPED" : undefined],
          `round ${round}`,
        );
        const exec = await containerd.ctr(["tasks", "exec", "--exec-id", "e1", stays, "echo", "inside"]);
        assert.deepEqual([exec.code, exec.stdout], [0, "inside\n"]);
        // The stock one removes, as it starts, each task that has no process left.
        if (kind === "ours")
          assert.match(
            (await containerd.ctr(["tasks", "rm", ends])).stderr,
            new RegExp(`non-zero exit code ${round + 10}`),
          );
        await containerd.ok("tasks", "kill", "-s", "SIGKILL", stays);
        await until("the task has stopped", async () => (await status(stays)) === "STOPPED");
        assert.match((await containerd.ctr(["tasks", "rm", stays])).stderr, /non-zero exit code 137/);
      }
    });

    it("a killed shim's container is reported as ended, and nothing of it is left", async () => {
      await started(image, "one", "sleep", "300");
      const pid = Number(/^one +(\d+)/m.exec(await containerd.ok("tasks", "ls"))?.[1]);
      const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      process.kill(parent, "SIGKILL");
      await until("the container has ended", () => gone(pid));
      await until("the task is gone", async () => (await status("one")) === undefined);
      await until(
        "its mount is gone",
        () => !readFileSync("/proc/self/mounts", "utf8").includes(`${containerd.namespace}/one/`),
      );
    });
  });
}

/** What a program printed so far. */
class Lines {
  text = "";
  probes = 0;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (data: Buffer) => (this.text += data.toString()));
  }

  end(): void {
    this.#child.kill();
  }
}

function gone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
