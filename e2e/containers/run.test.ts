import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";

describe("docker run", () => {
  it("prints what the command prints, on both streams, and gives its exit code", async () => {
    const result = await shared.docker(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert.deepEqual(result, { code: 7, stdout: "out\n", stderr: "err\n" });
  });

  it("passes stdin to its end", async () => {
    const result = await shared.docker(["run", "-i", "--rm", "busybox", "wc", "-c"], {
      input: Buffer.alloc(1 << 20, "x"),
    });
    assert.equal(result.stdout.trim(), String(1 << 20));
  });

  it("tells a missing command (127), one that is no program (126) and an unknown flag (125) apart", async () => {
    assert.equal((await shared.docker(["run", "--rm", "busybox", "/no/such"])).code, 127);
    assert.equal((await shared.docker(["run", "--rm", "busybox", "/etc"])).code, 126);
    assert.equal((await shared.docker(["run", "--no-such-flag", "busybox"])).code, 125);
  });
});
