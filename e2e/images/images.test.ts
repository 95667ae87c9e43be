import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { shared } from "../engine/shared.ts";
import { must } from "../host/exec.ts";

describe("images", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "e2e-images-"))));
  after(() => rmSync(dir, { recursive: true }));
  afterEach(() => shared.docker(["rmi", "-f", "e2e-image", "e2e-image:other", "e2e-image:two"]));

  it("tag, list with filters and formats, inspect, history, rmi", async () => {
    await shared.ok(["tag", "busybox", "e2e-image"]);
    await shared.ok(["tag", "e2e-image", "e2e-image:other"]);
    const rows = (await shared.ok(["images", "--format", "{{.Repository}}:{{.Tag}}", "e2e-image"])).split("\n").sort();
    assert.deepEqual(rows, ["e2e-image:latest", "e2e-image:other"]);
    assert.equal(await shared.ok(["images", "--filter", "reference=e2e-im*:oth*", "--format", "{{.Tag}}"]), "other");
    assert.equal(
      await shared.ok(["image", "inspect", "-f", "{{.Os}} {{json .Config.Cmd}}", "e2e-image"]),
      'linux ["sh"]',
    );
    assert.match(await shared.ok(["history", "--format", "{{.Comment}}", "e2e-image"]), /Imported from -?/);
    assert.equal(await shared.ok(["rmi", "e2e-image:other"]), "Untagged: e2e-image:other");
    const gone = await shared.docker(["rmi", "e2e-image:other"]);
    assert.equal(gone.stderr.trim(), "Error response from daemon: No such image: e2e-image:other");
  });

  it("save and load give the same image back", async () => {
    await shared.ok(["tag", "busybox", "e2e-image"]);
    const id = await shared.ok(["image", "inspect", "-f", "{{.Id}}", "e2e-image"]);
    await shared.ok(["save", "-o", join(dir, "image.tar"), "e2e-image"]);
    const names = (await must("tar", ["-tf", join(dir, "image.tar")])).split("\n");
    for (const name of ["manifest.json", "index.json", "oci-layout"])
      assert.ok(names.includes(name), `${name} in ${names.join(" ")}`);
    await shared.ok(["rmi", "e2e-image"]);
    assert.equal(await shared.ok(["load", "-i", join(dir, "image.tar")]), "Loaded image: e2e-image:latest");
    assert.equal(await shared.ok(["image", "inspect", "-f", "{{.Id}}", "e2e-image"]), id);
    assert.equal(await shared.ok(["run", "--rm", "e2e-image", "echo", "runs"]), "runs");
  });

  it("save writes all tags of a repository, and no name for what is asked for by its digest", async () => {
    for (const name of ["e2e-image", "e2e-image:other"]) await shared.ok(["tag", "busybox", name]);
    const id = await shared.ok(["image", "inspect", "-f", "{{.Id}}", "e2e-image"]);
    for (const [name, tags] of [
      ["e2e-image", ["e2e-image:latest", "e2e-image:other"]],
      ["e2e-image:other", ["e2e-image:other"]],
      [`e2e-image@${id}`, null],
      [id.slice(0, 20), null],
    ] as const) {
      await shared.ok(["save", "-o", join(dir, "named.tar"), name]);
      const [image] = JSON.parse(await must("tar", ["-xOf", join(dir, "named.tar"), "manifest.json"])) as {
        RepoTags: string[] | null;
      }[];
      assert.deepEqual(image?.RepoTags?.toSorted() ?? null, tags, name);
    }
  });

  it("refuses names that could be IDs, or nothing", async () => {
    const ambiguous = /refusing to create an ambiguous tag using digest algorithm as name/;
    assert.match((await shared.docker(["tag", "busybox", "sha256:abc"])).stderr, ambiguous);
    assert.match((await shared.docker(["import", "-", "sha256"], { input: "" })).stderr, ambiguous);
    assert.match((await shared.docker(["rmi", " "])).stderr, /image name cannot be blank/);
  });

  it("an archive that ends early changes nothing", async () => {
    await shared.ok(["tag", "busybox", "e2e-image:two"]);
    await shared.ok(["save", "-o", join(dir, "cut.tar"), "e2e-image:two"]);
    await shared.ok(["rmi", "e2e-image:two"]);
    truncateSync(join(dir, "cut.tar"), Math.floor(statSync(join(dir, "cut.tar")).size / 2));
    const loaded = await shared.docker(["load", "-i", join(dir, "cut.tar")]);
    assert.notEqual(loaded.code, 0);
    assert.equal(await shared.ok(["images", "-q", "e2e-image:two"]), "");
  });

  it("a load that was answered has happened, for a client that leaves at the answer, too", async () => {
    await shared.ok(["tag", "busybox", "e2e-image:two"]);
    await shared.ok(["save", "-o", join(dir, "answered.tar"), "e2e-image:two"]);
    const archive = readFileSync(join(dir, "answered.tar"));
    for (const quiet of ["1", "0"]) {
      await shared.ok(["rmi", "e2e-image:two"]);
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const socketPath = shared.host.replace("unix://", "");
        const call = request({
          socketPath,
          method: "POST",
          path: `/v1.51/images/load?quiet=${quiet}`,
          agent: false,
          headers: { "Content-Type": "application/x-tar" },
        });
        call.once("response", ({ statusCode }) => {
          call.destroy();
          resolve(statusCode);
        });
        call.once("error", reject);
        call.write(archive.subarray(0, archive.length / 2));
        setImmediate(() => call.end(archive.subarray(archive.length / 2)));
      });
      assert.equal(status, 200);
      assert.equal(await shared.ok(["images", "--format", "{{.Tag}}", "e2e-image:two"]), "two");
    }
    // What fails is told in a line, as ever.
    const junk = await shared.docker(["load"], { input: "junk" });
    assert.equal(junk.code, 1);
  });

  it("an image in use is kept", async () => {
    await importBusybox(shared, "e2e-image");
    await must("tar", ["-C", dir, "-cf", join(dir, "scratch.tar"), "--files-from", "/dev/null"]);
    await shared.ok(["run", "-d", "--name", "e2e-uses", "e2e-image", "sleep", "100"]);
    try {
      const refused = await shared.docker(["rmi", "e2e-image"]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /conflict: unable to (remove repository reference|delete) .*container [0-9a-f]{12}/);
      const scratch = await shared.ok([
        "import",
        "--change",
        "LABEL e2e=mounted",
        join(dir, "scratch.tar"),
        "e2e-image:two",
      ]);
      await shared.ok([
        "create",
        "--name",
        "e2e-mounts",
        "--mount",
        "type=image,src=e2e-image:two,dst=/seen",
        "e2e-image",
        "true",
      ]);
      assert.equal(
        await shared.ok(["inspect", "-f", "{{(index .HostConfig.Mounts 0).Source}}", "e2e-mounts"]),
        "e2e-image:two",
      );
      assert.match(
        (await shared.docker(["rmi", "e2e-image:two"])).stderr,
        /conflict: unable to delete e2e-image:two \(must be forced\) - container [0-9a-f]{12} is using/,
      );
      await shared.ok(["image", "prune", "-af", "--filter", "label=e2e=mounted"]);
      assert.equal(await shared.ok(["image", "inspect", "-f", "{{.Id}}", "e2e-image:two"]), scratch);
    } finally {
      await shared.docker(["rm", "-f", "e2e-uses", "e2e-mounts"]);
    }
  });

  it("prune removes what has no name, and info and df count", async () => {
    await must("sh", ["-c", `mkdir ${dir}/r && echo x > ${dir}/r/x && tar -C ${dir}/r -cf ${dir}/r.tar .`]);
    const id = await shared.ok(["import", join(dir, "r.tar")]);
    const dangling = (await shared.ok(["images", "-q", "--no-trunc", "--filter", "dangling=true"])).split("\n");
    assert.ok(dangling.includes(id), dangling.join(" "));
    assert.match(await shared.ok(["image", "prune", "-f"]), new RegExp(`deleted: ${id}`));
    assert.equal(await shared.ok(["images", "-q", "--filter", "dangling=true"]), "");
    assert.match(await shared.ok(["system", "df"]), /^Images +\d+/m);
    assert.match(
      await shared.ok(["info", "-f", "{{.OSType}} {{.Driver}} {{.LoggingDriver}} {{.Images}}"]),
      /^linux (overlayfs|overlay2) json-file \d+$/,
    );
    assert.match(
      await shared.ok(["version", "-f", "{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}"]),
      /^1\.51 1\.24 linux$/,
    );
  });

  it("an unknown image is looked for in its registry, and the error says which", async () => {
    const result = await shared.docker(["run", "--rm", "127.0.0.1:9/no/such:tag"]);
    assert.equal(result.code, 125);
    assert.match(result.stderr, /Unable to find image '127\.0\.0\.1:9\/no\/such:tag' locally/);
    assert.match(result.stderr, /connection refused/);
  });
});
