import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@longshore/logger";
import { lgetxattr, lsetxattr } from "@longshore/sys";
import { LocalVolumes } from "../index.ts";
import { isMounted } from "./local-mount.ts";

describe("local volumes", () => {
  let dataRoot = "";
  let volumes: LocalVolumes;
  let events: string[] = [];
  const open = () =>
    LocalVolumes.open({
      dataRoot,
      emit: (type, action, { ID }) => events.push(`${type} ${action} ${ID}`),
      log: silent,
    });

  beforeEach(async () => {
    dataRoot = mkdtempSync(join(tmpdir(), "lsvol-"));
    events = [];
    volumes = await open();
  });
  afterEach(() => rmSync(dataRoot, { recursive: true, force: true }));

  it("creates, finds again after a restart, and removes", async () => {
    const made = await volumes.create({ Name: "data", Labels: { a: "b" } });
    assert.deepEqual(await volumes.create({ Name: "data", Labels: { other: "x" } }), made);
    assert.equal(made.Mountpoint, join(dataRoot, "volumes/data/_data"));
    assert.equal(made.Options, null);
    assert.match(made.CreatedAt ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const anonymous = await volumes.create({});
    assert.match(anonymous.Name, /^[0-9a-f]{64}$/);
    assert.deepEqual(anonymous.Labels, { "com.docker.volume.anonymous": "" });
    volumes = await open();
    assert.deepEqual(await volumes.get("data"), made);
    await volumes.remove("data", false);
    await assert.rejects(volumes.get("data"), /^NotFound: get data: no such volume$/);
    await volumes.remove("data", true);
    assert.deepEqual(readdirSync(join(dataRoot, "volumes")), [anonymous.Name]);
    assert.deepEqual(events, ["volume create data", `volume create ${anonymous.Name}`, "volume destroy data"]);
  });

  it("refuses what Docker refuses, in its words", async () => {
    const refused = async (options: Parameters<LocalVolumes["create"]>[0], message: RegExp) =>
      assert.rejects(volumes.create(options), message);
    await refused({ Name: "n" }, /^InvalidArgument: create n: volume name is too short/);
    await refused(
      { Name: "net/../v" },
      /^InvalidArgument: create net\/\.\.\/v: "net\/\.\.\/v" includes invalid characters/,
    );
    await refused(
      { Name: "ab", Driver: "foo" },
      /^NotFound: create ab: error looking up volume plugin foo: plugin "foo" not found$/,
    );
    await refused({ Name: "ab", DriverOpts: { foo: "x" } }, /^InvalidArgument: create ab: invalid option: "foo"$/);
    await refused({ Name: "ab", DriverOpts: { type: "tmpfs" } }, /missing required option: "device"$/);
    assert.deepEqual(readdirSync(join(dataRoot, "volumes")), []);
  });

  it("keeps what a container refers to", async () => {
    await volumes.create({ Name: "used" });
    volumes.reference("used", "c1");
    await assert.rejects(volumes.remove("used", true), /^Conflict: remove used: volume is in use - \[c1\]$/);
    assert.deepEqual(await volumes.prune(() => true), { deleted: [], reclaimed: 0 });
    volumes.dereference("used", "c1");
    writeFileSync(join(await volumes.mount("used", "c1"), "f"), "12345");
    await volumes.unmount("used", "c1");
    assert.deepEqual(
      (await volumes.usage()).map(({ UsageData }) => UsageData),
      [{ RefCount: 0, Size: 5 }],
    );
    assert.deepEqual(await volumes.prune(() => true), { deleted: ["used"], reclaimed: 5 });
  });

  it("ends what a killed process left half done, and sets aside a broken record", async () => {
    mkdirSync(join(dataRoot, "volumes/.unfinished-1/_data"), { recursive: true });
    await volumes.create({ Name: "broken" });
    writeFileSync(join(dataRoot, "volumes/broken/volume.json"), "{");
    mkdirSync(join(dataRoot, "volumes/broken/.unfinished-2"));
    volumes = await open();
    assert.deepEqual(readdirSync(join(dataRoot, "volumes")), ["broken"]);
    assert.equal((await volumes.get("broken")).Labels, null);
    assert.ok(!existsSync(join(dataRoot, "volumes/broken/.unfinished-2")));
  });

  it("copies an image's content up, whole", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const source = join(dataRoot, "rootfs/var/lib/x");
    mkdirSync(join(source, "sub"), { recursive: true });
    writeFileSync(join(source, "sub/file"), "content");
    linkSync(join(source, "sub/file"), join(source, "hard"));
    symlinkSync("/etc/passwd", join(source, "out"));
    lsetxattr(join(source, "hard"), "user.note", Buffer.from("kept"));
    chownSync(source, 70, 71);
    chmodSync(source, 0o1770);
    chownSync(join(source, "sub"), 72, 73);
    await volumes.create({ Name: "filled" });
    const path = await volumes.mount("filled", "c1");
    await volumes.copyUp(source, path);
    const root = statSync(path);
    assert.deepEqual([root.uid, root.gid, root.mode & 0o7777], [70, 71, 0o1770]);
    assert.equal(statSync(join(path, "sub")).uid, 72);
    assert.equal(statSync(join(path, "hard")).ino, statSync(join(path, "sub/file")).ino);
    assert.equal(lgetxattr(join(path, "sub/file"), "user.note").toString(), "kept");
    assert.ok(lstatSync(join(path, "out")).isSymbolicLink());
    assert.equal(readlinkSync(join(path, "out")), "/etc/passwd");
    writeFileSync(join(path, "sub/file"), "mine");
    await volumes.copyUp(source, path);
    assert.equal(readFileSync(join(path, "hard"), "utf8"), "mine");
  });

  it("mounts once, and unmounts after the last", async function () {
    if (process.getuid?.() !== 0) this.skip();
    await volumes.create({ Name: "ram", DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=5" } });
    const path = await volumes.mount("ram", "c1");
    await volumes.mount("ram", "c2");
    assert.equal(statSync(path).uid, 5);
    await volumes.unmount("ram", "c1");
    assert.ok(isMounted(path));
    volumes = await open();
    await volumes.mount("ram", "c2");
    await volumes.unmount("ram", "c2");
    assert.ok(!isMounted(path));
    await volumes.create({ Name: "none", DriverOpts: { type: "none", device: "/nonexist", o: "bind" } });
    await assert.rejects(
      volumes.mount("none", "c1"),
      (error: Error) =>
        error.message ===
        `error while mounting volume '${dataRoot}/volumes/none/_data': failed to mount local volume: mount /nonexist:${dataRoot}/volumes/none/_data, flags: 0x1000: no such file or directory`,
    );
  });
});
