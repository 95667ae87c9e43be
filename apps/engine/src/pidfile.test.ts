import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removePidFile, writePidFile } from "./pidfile.ts";

describe("the pid file", () => {
  let dir = "";
  let path = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "pidfile-"));
    path = join(dir, "run/dockerd.pid");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("names this process, and goes only while it does", async () => {
    await writePidFile(path);
    assert.equal(readFileSync(path, "utf8"), String(process.pid));
    writeFileSync(path, "1");
    await removePidFile(path);
    assert.ok(existsSync(path));
    await writePidFile(path);
    await removePidFile(path);
    assert.ok(!existsSync(path));
  });

  it("of an engine that runs is left to it: the refusal says who ends that one", async () => {
    const other = spawn(process.execPath, ["-e", "setTimeout(() => undefined, 60_000)", "apps/engine/src/main.ts"], {
      stdio: "ignore",
    });
    try {
      await writePidFile(path);
      writeFileSync(path, String(other.pid));
      await assert.rejects(
        writePidFile(path),
        new RegExp(
          `^FailedPrecondition: failed to start daemon, ensure docker is not running or delete ${path}: process with PID ${other.pid} is still running \\(.*npm stop.*\\)$|systemd`,
        ),
      );
      assert.equal(readFileSync(path, "utf8"), String(other.pid));
    } finally {
      other.kill("SIGKILL");
    }
  });
});
