import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";

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
    assert.equal(
      (await shared.docker(["volume", "inspect", name])).stderr.trim(),
      `Error response from daemon: get ${name}: no such volume`,
    );
  });

  it("data outlive the container, and a volume in use is kept", async () => {
    await shared.ok(["run", "--rm", "-v", `${name}:/data`, "busybox", "sh", "-c", "echo lasting > /data/file"]);
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "--mount",
        `type=volume,source=${name},target=/data,readonly`,
        "busybox",
        "cat",
        "/data/file",
      ]),
      "lasting",
    );
    const id = await shared.ok(["create", "--name", container, "-v", `${name}:/data`, "busybox"]);
    const refused = await shared.docker(["volume", "rm", name]);
    assert.equal(refused.stderr.trim(), `Error response from daemon: remove ${name}: volume is in use - [${id}]`);
  });

  it("an empty volume is filled with what the image has there, owners kept", async () => {
    await shared.docker([
      "run",
      "--name",
      container,
      "busybox",
      "sh",
      "-c",
      "mkdir /content; echo from image > /content/file; chown 1234:4321 /content/file; ln -s file /content/link",
    ]);
    await shared.ok(["commit", container, "e2e-with-content"]);
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "-v",
        `${name}:/content`,
        "e2e-with-content",
        "sh",
        "-c",
        "cat /content/link; stat -c %u:%g /content/file",
      ]),
      "from image\n1234:4321",
    );
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "--mount",
        `type=volume,source=${name}-empty,target=/content,volume-nocopy`,
        "e2e-with-content",
        "ls",
        "/content",
      ]),
      "",
    );
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
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "--volumes-from",
        container,
        "busybox",
        "sh",
        "-c",
        "df -m /small | tail -n 1 | awk '{print $2}'",
      ]),
      "1",
    );
  });

  it("invalid mounts are refused with Docker's words and change nothing", async () => {
    const missing = await shared.docker([
      "run",
      "--rm",
      "--mount",
      "type=bind,source=/no/such/place,target=/x",
      "busybox",
      "true",
    ]);
    assert.match(
      missing.stderr,
      /invalid mount config for type "bind": bind source path does not exist: \/no\/such\/place/,
    );
    assert.ok(!existsSync("/no/such/place"));
    const twice = await shared.docker(["run", "--rm", "-v", "/tmp:/x", "-v", "/var:/x", "busybox", "true"]);
    assert.match(twice.stderr, /Duplicate mount point: \/x/);
    const relative = await shared.docker(["run", "--rm", "-v", "/tmp:relative", "busybox", "true"]);
    assert.match(
      relative.stderr,
      /invalid volume specification: '\/tmp:relative': invalid mount config for type "bind": invalid mount path: 'relative' mount path must be absolute/,
    );
  });

  const mounting = async (mount: string, ...command: string[]) =>
    shared.docker(["run", "--rm", "--mount", mount, "busybox", ...command]);

  it("a subpath lies in its volume, wherever symbolic links lead", async () => {
    await shared.ok([
      "run",
      "--rm",
      "-v",
      `${name}:/m`,
      "busybox",
      "sh",
      "-c",
      "mkdir -p /m/in/er; echo inner > /m/in/er/f; ln -s /etc /m/out; ln -s ../../.. /m/up; ln -s in /m/good; echo file > /m/file",
    ]);
    const base = await shared.ok(["volume", "inspect", "-f", "{{.Mountpoint}}", name]);
    const at = (subpath: string): string => `type=volume,src=${name},dst=/s,volume-subpath=${subpath}`;
    assert.equal((await mounting(at("in/er"), "cat", "/s/f")).stdout, "inner\n");
    assert.equal((await mounting(at("good/er"), "cat", "/s/f")).stdout, "inner\n");
    assert.equal((await mounting(at("file"), "cat", "/s")).stdout, "file\n");
    await shared.ok(["create", "--name", container, "--mount", at("in/er"), "busybox", "true"]);
    // The folder of the mount point comes with the first start.
    await shared.ok(["start", "-a", container]);
    assert.ok(
      (await shared.docker(["cp", `${container}:/s/f`, "-"])).stdout.includes("inner\n"),
      "a stopped container's subpath is copied from",
    );
    for (const leaving of ["out", "up"]) {
      const { code, stderr } = await mounting(at(leaving), "ls", "/s");
      assert.equal(code, 125);
      assert.match(
        stderr,
        new RegExp(
          `Error response from daemon: path concatenation escapes the base directory, base: ${base}, subpath: ${leaving}\n`,
        ),
      );
    }
    const missing = await mounting(at("nope"), "ls", "/s");
    assert.equal(missing.code, 127);
    assert.match(
      missing.stderr,
      new RegExp(`cannot access path ${base}/nope: lstat ${base}/nope: no such file or directory\n`),
    );
    // What is asked for is in the volume, or not there: the image's content does not take its place.
    assert.equal((await mounting(`type=volume,src=${name}-empty,dst=/bin,volume-subpath=sh`, "true")).code, 127);
    await shared.ok(["volume", "rm", `${name}-empty`]);
    assert.match(
      (await mounting(at("../x"), "ls")).stderr,
      /invalid mount config for type "volume": subpath must be a relative path within the volume/,
    );
    assert.ok(!readFileSync("/proc/mounts", "utf8").includes(`${shared.dir}/run/docker/bound`));
  });

  it("a kill of the engine leaves a mounted subpath in place, and nothing behind", async () => {
    await shared.ok(["run", "--rm", "-v", `${name}:/m`, "busybox", "sh", "-c", "mkdir /m/in; echo inner > /m/in/f"]);
    const options = [
      "--name",
      container,
      "--mount",
      `type=volume,src=${name},dst=/s,volume-subpath=in`,
      "--mount",
      "type=image,src=busybox,dst=/i",
    ];
    await shared.ok(["run", "-d", ...options, "busybox", "sleep", "1000"]);
    await shared.engine.kill();
    await shared.engine.start();
    assert.equal(
      await shared.ok(["exec", container, "sh", "-c", "cat /s/f; ls /i/bin/busybox"]),
      "inner\n/i/bin/busybox",
    );
    await shared.ok(["restart", "-t", "0", container]);
    assert.equal(await shared.ok(["exec", container, "cat", "/s/f"]), "inner");
    const pid = Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", container]));
    await shared.engine.kill();
    process.kill(pid, "SIGKILL");
    await shared.engine.start();
    await shared.ok(["rm", container]);
    assert.ok(!readFileSync("/proc/mounts", "utf8").includes(`${shared.dir}/run/docker/bound`));
    assert.equal(await shared.ok(["run", "--rm", "-v", `${name}:/m`, "busybox", "cat", "/m/in/f"]), "inner");
  });

  it("containers that are made at once share a new volume, filled once", async () => {
    await shared.ok([
      "run",
      "--name",
      container,
      "busybox",
      "sh",
      "-c",
      "mkdir /content; ln -s nowhere /content/link; for i in 1 2 3 4 5 6 7 8; do echo $i > /content/$i; done",
    ]);
    await shared.ok(["commit", container, "e2e-with-content"]);
    const made = await Promise.all(
      [1, 2, 3, 4].map(() =>
        shared.ok(["create", "--label", "e2e-at-once", "-v", `${name}:/content`, "e2e-with-content", "ls", "/content"]),
      ),
    );
    try {
      const listed = await Promise.all(made.map((id) => shared.ok(["start", "-a", id])));
      assert.deepEqual(new Set(listed), new Set(["1\n2\n3\n4\n5\n6\n7\n8\nlink"]));
    } finally {
      await shared.ok(["rm", "-f", ...made]);
    }
  });

  it("a kill of the engine between create and start leaves the container its volumes", async () => {
    const id = await shared.ok([
      "create",
      "--name",
      container,
      "-v",
      `${name}:/data`,
      "-v",
      "/anonymous",
      "busybox",
      "sh",
      "-c",
      "echo written > /data/file; ls -d /anonymous",
    ]);
    await shared.engine.kill();
    await shared.engine.start();
    assert.equal(
      (await shared.docker(["volume", "rm", name])).stderr.trim(),
      `Error response from daemon: remove ${name}: volume is in use - [${id}]`,
    );
    assert.equal(await shared.ok(["volume", "prune", "-a", "-f"]), "Total reclaimed space: 0B");
    assert.equal(await shared.ok(["start", "-a", container]), "/anonymous");
    assert.equal(await shared.ok(["run", "--rm", "-v", `${name}:/data`, "busybox", "cat", "/data/file"]), "written");
  });

  it("a part of a volume that is empty is filled from the image, too", async () => {
    const filled = "e2e-filled";
    const part = (subpath: string, ...more: string[]): string =>
      ["type=volume", `src=${filled}`, "dst=/etc", `volume-subpath=${subpath}`, ...more].join(",");
    try {
      await shared.ok([
        "run",
        "--rm",
        "-v",
        `${filled}:/v`,
        "busybox",
        "sh",
        "-c",
        "mkdir /v/empty /v/full /v/kept; touch /v/full/own; ln -s /etc /v/out; echo text > /v/file",
      ]);
      assert.equal(
        await shared.ok([
          "run",
          "--rm",
          "--mount",
          part("file").replace("dst=/etc", "dst=/etc/group"),
          "busybox",
          "cat",
          "/etc/group",
        ]),
        "text",
      );
      assert.match(await shared.ok(["run", "--rm", "--mount", part("empty"), "busybox", "ls", "/etc"]), /^group\n/);
      assert.doesNotMatch(await shared.ok(["run", "--rm", "--mount", part("full"), "busybox", "ls", "/etc"]), /group/);
      assert.doesNotMatch(
        await shared.ok(["run", "--rm", "--mount", part("kept", "volume-nocopy"), "busybox", "ls", "/etc"]),
        /group/,
      );
      await shared.ok(["create", "--name", container, "--mount", part("later"), "busybox", "true"]);
      assert.match(
        (await shared.docker(["create", "--mount", part("out"), "busybox", "true"])).stderr,
        /failed to populate volume: path concatenation escapes the base directory/,
      );
      assert.ok(!readFileSync("/proc/mounts", "utf8").includes(`${shared.dir}/run/docker/bound`));
    } finally {
      await shared.docker(["rm", "-f", container]);
      await shared.docker(["volume", "rm", filled]);
    }
  });

  it("an image is mounted, whole or a path of it, and kept as long as the container", async () => {
    await shared.ok([
      "run",
      "--name",
      container,
      "busybox",
      "sh",
      "-c",
      "mkdir -p /content/sub; echo from image > /content/sub/file",
    ]);
    await shared.ok(["commit", container, "e2e-with-content"]);
    await shared.ok(["rm", container]);
    const whole = await mounting(
      "type=image,src=e2e-with-content,dst=/i",
      "sh",
      "-c",
      "cat /i/content/sub/file; touch /i/new",
    );
    assert.deepEqual(
      [whole.code, whole.stdout, whole.stderr],
      [1, "from image\n", "WARNING: Image mount is an experimental feature\ntouch: /i/new: Read-only file system\n"],
    );
    assert.equal(
      (await mounting("type=image,src=e2e-with-content,dst=/i,image-subpath=content/sub", "cat", "/i/file")).stdout,
      "from image\n",
    );
    assert.match(
      (await mounting("type=image,src=e2e-with-content,dst=/i,image-subpath=nope", "true")).stderr,
      /cannot access path .*\/nope: no such file or directory/,
    );
    assert.match(
      (await mounting("type=image,src=e2e-with-content,dst=/i,image-subpath=../x", "true")).stderr,
      /invalid mount config for type "image": subpath must be a relative path within the volume/,
    );
    const snapshots = async (): Promise<string> => (await shared.ctr(["-n", "moby", "snapshots", "ls"])).stdout;
    const id = await shared.ok([
      "create",
      "--name",
      container,
      "--mount",
      "type=image,src=e2e-with-content,dst=/i",
      "busybox",
      "cat",
      "/i/content/sub/file",
    ]);
    assert.match(await snapshots(), new RegExp(`^${id}-image-`, "m"));
    // By its ID it may go, as with Docker; the container keeps what it sees of it.
    await shared.ok(["rmi", await shared.ok(["image", "inspect", "-f", "{{.Id}}", "e2e-with-content"])]);
    assert.equal(await shared.ok(["start", "-a", container]), "from image");
    const copied = await shared.docker(["cp", `${container}:/i/content/sub/file`, "-"]);
    assert.ok(copied.stdout.includes("from image\n"), "a stopped container's image mount is copied from");
    assert.equal(
      await shared.ok([
        "inspect",
        "-f",
        "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}}",
        container,
      ]),
      "image e2e-with-content /i false rprivate",
    );
    await shared.ok(["rm", container]);
    assert.doesNotMatch(await snapshots(), new RegExp(`${id}-image-`));
    assert.ok(!readFileSync("/proc/mounts", "utf8").includes(`${shared.dir}/run/docker/bound`));
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
