import assert from "node:assert/strict";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { tool } from "../engine/tools.ts";
import { must } from "../host/exec.ts";
import { until } from "../host/until.ts";

describe("cp, export and commit", () => {
  const name = "e2e-copy";
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "e2e-copy-"))));
  afterEach(async () => {
    rmSync(dir, { recursive: true });
    await shared.docker(["rm", "-f", "-v", name]);
    await shared.docker(["rmi", "-f", "e2e-committed"]);
  });

  for (const running of [false, true]) {
    it(`copies files and folders both ways (${running ? "running" : "created"})`, async () => {
      await shared.ok([
        running ? "run" : "create",
        ...(running ? ["-d"] : []),
        "--name",
        name,
        "busybox",
        "sleep",
        "300",
      ]);
      mkdirSync(join(dir, "folder/sub"), { recursive: true });
      writeFileSync(join(dir, "folder/sub/file"), "text", { mode: 0o640 });
      symlinkSync("sub/file", join(dir, "folder/link"));
      await shared.ok(["cp", join(dir, "folder"), `${name}:/tmp`]);
      await shared.ok(["cp", `${name}:/tmp/folder`, join(dir, "back")]);
      assert.deepEqual(readdirSync(join(dir, "back"), { recursive: true }).sort(), ["link", "sub", "sub/file"]);
      assert.equal(readFileSync(join(dir, "back/sub/file"), "utf8"), "text");
      assert.equal(lstatSync(join(dir, "back/sub/file")).mode & 0o777, 0o640);
      assert.ok(lstatSync(join(dir, "back/link")).isSymbolicLink());
      const missing = await shared.docker(["cp", `${name}:/nowhere`, dir]);
      assert.match(missing.stderr, /Could not find the file \/nowhere in container e2e-copy/);
    });
  }

  it("copies into volumes of a container that never ran, where the image has nothing", async () => {
    writeFileSync(join(dir, "file"), "text");
    await shared.ok([
      "create",
      "--name",
      name,
      "-v",
      "/new/place",
      "-v",
      `${join(dir, "file")}:/new/file`,
      "busybox",
      "sleep",
      "300",
    ]);
    await shared.ok(["cp", join(dir, "file"), `${name}:/new/place/copied`]);
    assert.equal((await shared.docker(["cp", `${name}:/new/file`, "-"])).code, 0);
    await shared.ok(["start", name]);
    assert.equal(await shared.ok(["exec", name, "cat", "/new/place/copied", "/new/file"]), "texttext");
  });

  it("copies into a container that has read-only mounts and does not run, but not into these", async () => {
    writeFileSync(join(dir, "file"), "text");
    await shared.ok([
      "run",
      "--name",
      name,
      "-v",
      `${dir}:/data:ro`,
      "-v",
      `${join(dir, "file")}:/etc/file:ro`,
      "busybox",
      "true",
    ]);
    await shared.ok(["cp", join(dir, "file"), `${name}:/tmp/file`]);
    assert.equal((await shared.docker(["cp", `${name}:/data/file`, "-"])).code, 0);
    assert.match(
      (await shared.docker(["cp", join(dir, "file"), `${name}:/data/other`])).stderr,
      /mounted volume is marked read-only/,
    );
  });

  it("copies what is the container's and nothing of the kernel's, running or not, and the host's mounts below a bind, which stay", async () => {
    const bound = join(dir, "bound");
    mkdirSync(join(bound, "disk"), { recursive: true });
    await must("mount", ["-t", "tmpfs", "of-the-host", join(bound, "disk")]);
    try {
      writeFileSync(join(bound, "disk/deep"), "deep");
      await shared.ok([
        "run",
        "-d",
        "--name",
        name,
        "-v",
        "/vol",
        "-v",
        `${bound}:/bound`,
        "--tmpfs",
        "/fleeting",
        "busybox",
        "sh",
        "-c",
        "echo 1 > /vol/one; echo 1 > /fleeting/one; echo 1 > /own; touch /started; sleep 300",
      ]);
      await until(
        "the container has written",
        async () => (await shared.docker(["exec", name, "test", "-e", "/started"])).code === 0,
      );
      for (const running of [true, false]) {
        if (!running) await shared.ok(["stop", "-t", "0", name]);
        await must("sh", ["-c", `docker cp ${name}:/ - > ${join(dir, "whole.tar")}`], {
          env: { ...shared.clientEnv(), PATH: `${join(tool("docker"), "..")}:${process.env["PATH"] ?? ""}` },
        });
        const all = (await must("tar", ["-tPf", join(dir, "whole.tar")])).split("\n");
        for (const path of ["/own", "/vol/one", "/bound/disk/deep", "/etc/hosts"]) assert.ok(all.includes(path), path);
        for (const path of ["/proc/", "/sys/", "/fleeting/"])
          assert.deepEqual(
            all.filter((entry) => entry.startsWith(path)),
            [path],
          );
        assert.deepEqual(
          all.filter((entry) => entry.startsWith("/dev/")),
          ["/dev/", "/dev/console", "/dev/pts/", "/dev/shm/"],
        );
        for (const path of ["/proc/cpuinfo", "/proc/self/status", "/sys/kernel", "/dev/null", "/fleeting/one"]) {
          const missing = await shared.docker(["cp", `${name}:${path}`, "-"]);
          assert.match(missing.stderr, new RegExp(`Could not find the file ${path} in container ${name}`));
          assert.equal(await shared.api.has(`/containers/${name}/archive?path=${path}`), false);
        }
        assert.match(
          (await shared.docker(["cp", join(bound, "disk/deep"), `${name}:/etc/hosts`])).stderr,
          /RemoveAll hosts: device or resource busy/,
        );
        assert.equal(readFileSync(join(bound, "disk/deep"), "utf8"), "deep");
      }
    } finally {
      await must("umount", [join(bound, "disk")]);
    }
  });

  it("a symlink in the container does not lead cp out of it", async () => {
    writeFileSync(join(dir, "secret"), "of the host");
    await shared.ok(["run", "-d", "--name", name, "busybox", "sh", "-c", `ln -s ${dir} /out; sleep 300`]);
    const read = await shared.docker(["cp", `${name}:/out/secret`, join(dir, "stolen")]);
    assert.equal(read.code, 1);
    writeFileSync(join(dir, "planted"), "x");
    await shared.docker(["cp", join(dir, "planted"), `${name}:/out/arrived`]);
    assert.deepEqual(readdirSync(dir).sort(), ["planted", "secret"]);
  });

  it("export and import carry the file system over", async () => {
    await shared.docker(["run", "--name", name, "busybox", "sh", "-c", "echo kept > /kept"]);
    await shared.ok(["export", "-o", join(dir, "root.tar"), name]);
    await shared.ok(["import", "--change", 'CMD ["cat","/kept"]', join(dir, "root.tar"), "e2e-committed"]);
    assert.equal(await shared.ok(["run", "--rm", "e2e-committed"]), "kept");
  });

  it("commit makes an image of a container and its changed configuration", async () => {
    await shared.docker([
      "run",
      "--name",
      name,
      "-e",
      "FROM=container",
      "-e",
      "LAST=1",
      "busybox",
      "sh",
      "-c",
      "echo new > /new; rm /etc/group",
    ]);
    const id = await shared.ok([
      "commit",
      "-m",
      "a message",
      "-a",
      "someone",
      "--change",
      'CMD ["sh","-c","cat /new; ls /etc; echo $FROM"]',
      "--change",
      "ENV NEW=1 FROM=the-$FROM",
      name,
      "e2e-committed",
    ]);
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    assert.equal(
      await shared.ok(["run", "--rm", "e2e-committed"]),
      "new\nhostname\nhosts\nmtab\npasswd\nresolv.conf\nthe-container",
    );
    // The CLI sends the variables of its flags in any order.
    const env = async (object: string): Promise<string[]> =>
      JSON.parse(await shared.ok(["inspect", "-f", "{{json .Config.Env}}", object])) as string[];
    assert.deepEqual(await env("e2e-committed"), [
      ...(await env(name)).map((variable) => variable.replace("FROM=container", "FROM=the-container")),
      "NEW=1",
    ]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.Author}}|{{.Comment}}", "e2e-committed"]), "someone|a message");
    assert.match(
      await shared.ok(["history", "--format", "{{.Comment}}|{{.CreatedBy}}", "e2e-committed"]),
      /^a message\|sh -c echo new/,
    );
  });
});
