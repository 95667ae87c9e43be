import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "./engine/shared.ts";

describe("volumes", () => {
  const name = "e2e-volume";
  const container = "e2e-volume-user";
  afterEach(async () => {
    await shared.docker(["rm", "-f", "-v", container]);
    await shared.docker(["volume", "rm", "-f", name]);
    await shared.docker(["rmi", "-f", "e2e-with-content"]);
  });

  it("create, ls, inspect, rm", async () => {
    assert.equal(await shared.ok(["volume", "create", "--label", "kind=e2e", name]), name);
    assert.equal(await shared.ok(["volume", "ls", "-q", "--filter", "label=kind=e2e"]), name);
    const mountpoint = await shared.ok(["volume", "inspect", "-f", "{{.Mountpoint}}", name]);
    assert.ok(mountpoint.endsWith(`/volumes/${name}/_data`));
    assert.equal(await shared.ok(["volume", "rm", name]), name);
    assert.equal((await shared.docker(["volume", "inspect", name])).stderr.trim(), `Error response from daemon: get ${name}: no such volume`);
  });

  it("data outlive the container, and a volume in use is kept", async () => {
    await shared.ok(["run", "--rm", "-v", `${name}:/data`, "busybox", "sh", "-c", "echo lasting > /data/file"]);
    assert.equal(await shared.ok(["run", "--rm", "--mount", `type=volume,source=${name},target=/data,readonly`, "busybox", "cat", "/data/file"]), "lasting");
    const id = await shared.ok(["create", "--name", container, "-v", `${name}:/data`, "busybox"]);
    const refused = await shared.docker(["volume", "rm", name]);
    assert.equal(refused.stderr.trim(), `Error response from daemon: remove ${name}: volume is in use - [${id}]`);
  });

  it("an empty volume is filled with what the image has there, owners kept", async () => {
    await shared.docker(["run", "--name", container, "busybox", "sh", "-c", "mkdir /content; echo from image > /content/file; chown 1234:4321 /content/file; ln -s file /content/link"]);
    await shared.ok(["commit", container, "e2e-with-content"]);
    assert.equal(await shared.ok(["run", "--rm", "-v", `${name}:/content`, "e2e-with-content", "sh", "-c", "cat /content/link; stat -c %u:%g /content/file"]), "from image\n1234:4321");
    assert.equal(await shared.ok(["run", "--rm", "--mount", `type=volume,source=${name}-empty,target=/content,volume-nocopy`, "e2e-with-content", "ls", "/content"]), "");
    await shared.ok(["volume", "rm", `${name}-empty`]);
  });

  it("anonymous volumes go with rm -v and with --rm", async () => {
    const volumes = async (): Promise<string> => shared.ok(["volume", "ls", "-q"]);
    const before = await volumes();
    await shared.ok(["run", "--rm", "-v", "/data", "busybox", "touch", "/data/x"]);
    assert.equal(await volumes(), before);
    await shared.ok(["run", "-d", "--name", container, "-v", "/data", "busybox", "sleep", "100"]);
    assert.notEqual(await volumes(), before);
    await shared.ok(["rm", "-f", "-v", container]);
    assert.equal(await volumes(), before);
  });

  it("--volumes-from and options of the local driver", async () => {
    await shared.ok(["volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m", name]);
    await shared.ok(["run", "-d", "--name", container, "-v", `${name}:/small`, "busybox", "sleep", "100"]);
    assert.equal(await shared.ok(["run", "--rm", "--volumes-from", container, "busybox", "sh", "-c", "df -m /small | tail -n 1 | awk '{print $2}'"]), "1");
  });

  it("invalid mounts are refused with Docker's words and change nothing", async () => {
    const missing = await shared.docker(["run", "--rm", "--mount", "type=bind,source=/no/such/place,target=/x", "busybox", "true"]);
    assert.match(missing.stderr, /invalid mount config for type "bind": bind source path does not exist: \/no\/such\/place/);
    assert.ok(!existsSync("/no/such/place"));
    const twice = await shared.docker(["run", "--rm", "-v", "/tmp:/x", "-v", "/var:/x", "busybox", "true"]);
    assert.match(twice.stderr, /Duplicate mount point: \/x/);
    const relative = await shared.docker(["run", "--rm", "-v", "/tmp:relative", "busybox", "true"]);
    assert.match(relative.stderr, /invalid volume specification: '\/tmp:relative': invalid mount config for type "bind": invalid mount path: 'relative' mount path must be absolute/);
  });

  it("a bind source that is missing is made with -v", async () => {
    const dir = mkdtempSync(join(tmpdir(), "e2e-bind-"));
    try {
      await shared.ok(["run", "--rm", "-v", `${dir}/new/sub:/data`, "busybox", "sh", "-c", "echo here > /data/file"]);
      assert.equal(readFileSync(join(dir, "new/sub/file"), "utf8"), "here\n");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
