import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Child } from "../index.ts";

describe("a child process", () => {
  it("reads, writes and ends with its status", async () => {
    const child = new Child("sh", ["-c", "cat; pwd; echo $X >&2; exit 7"], {
      cwd: "/proc",
      env: { PATH: process.env["PATH"], X: "y" },
    });
    child.stdin.end("in\n");
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), child.closed()]);
    assert.deepEqual([out, err, child.exitCode, child.signalCode], ["in\n/proc\n", "y\n", 7, null]);
  });

  it("tells the signal that ended it, and is in a session of its own when detached", async () => {
    const child = new Child("sleep", ["100"], { detached: true });
    const [, , group, session] = readFileSync(`/proc/${child.pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
    assert.deepEqual([group, session], [String(child.pid), String(child.pid)]);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [null, "SIGTERM"]);
    child.kill("SIGTERM");
  });

  it("is told of many ends at once, each its own, beside other children", async () => {
    const codes = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const child = new Child("sh", ["-c", `exit ${i}`]);
        await child.closed();
        return child.exitCode;
      }),
    );
    assert.deepEqual(
      codes,
      Array.from({ length: 50 }, (_, i) => i),
    );
  });

  it("is waited for, unless it need not be", async () => {
    const module = JSON.stringify(new URL("../index.ts", import.meta.url).href);
    const program = (then: string) =>
      `const { Child } = await import(${module}); const child = new Child("sh", ["-c", "exec >&- 2>&-; sleep 0.3"]); ${then}`;
    const ends = async (then: string): Promise<string> => {
      const child = new Child(process.execPath, ["--input-type=module", "--eval", program(then)]);
      const [out] = await Promise.all([text(child.stdout), child.closed()]);
      return `${child.exitCode} ${out}`;
    };
    assert.equal(await ends("await child.closed(); console.log(child.exitCode)"), "0 0\n");
    assert.equal(await ends("child.unref(); child.on('exit', () => console.log('late'))"), "0 ");
  });

  it("refuses what cannot be executed, and keeps no descriptor", () => {
    const before = readFileSync("/proc/self/status", "utf8").match(/FDSize:.*/)?.[0];
    for (let i = 0; i < 300; i++)
      assert.throws(() => new Child("/nowhere", []), { message: "spawn /nowhere ENOENT", code: "ENOENT" });
    assert.equal(readFileSync("/proc/self/status", "utf8").match(/FDSize:.*/)?.[0], before);
  });
});
