import assert from "node:assert/strict";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { repository } from "../engine/tools.ts";
import { must } from "../host/exec.ts";

describe("docker-py", () => {
  it("a session: images, containers, streams, archives, events, networks, volumes", async () => {
    const printed = await must("/usr/bin/python3", [join(repository, "e2e/sdk/docker_py.py")], {
      env: shared.clientEnv(),
      timeoutMs: 100_000,
    });
    assert.deepEqual(JSON.parse(printed), {
      ping: true,
      api: "1.51",
      os: "linux",
      loaded: ["busybox:latest", "e2e-docker-py:one"],
      "image not found": 404,
      run: "hello\n",
      failed: [3, "wrong\n"],
      "first line": "up\n",
      exec: [5, "out\n", "err\n"],
      archive: ["note", "written"],
      "memory limit": 64 << 20,
      top: "sleep 300",
      diff: true,
      paused: "paused",
      port: "127.0.0.1",
      committed: true,
      wait: 137,
      events: ["start", "pause", "unpause", "rename", "pause", "unpause", "die"],
      "container not found": "No such container: e2e-docker-py",
      resolved: 1,
      members: ["e2e-docker-py"],
      address: "10.234.9.77",
      "pruned networks": ["e2e-docker-py"],
      kept: "kept\n",
      volumes: ["e2e-docker-py"],
    });
  });
});
