import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fixture, writeImage } from "./image.ts";
import { Twins } from "./twins.ts";

const name = "example.org/twins/image:1";
const remote = "{registry}/twins/image:1";
/** Waits for a collection, so that what nobody keeps is gone. */
const collect = ["leases create --id collect", "leases rm --sync collect"];

describe("ctr's images, on ours as on the stock containerd", () => {
  const twins = new Twins(`e2e-images-${process.pid}`);
  let image: Fixture;

  before(async () => {
    await twins.start();
    const dir = mkdtempSync(join(tmpdir(), "e2e-twins-"));
    image = await writeImage(join(dir, "image.tar"), name);
    for (const twin of twins.both) copyFileSync(join(dir, "image.tar"), join(twin.dir, "image.tar"));
    rmSync(dir, { recursive: true });
  });
  after(() => twins.dispose());

  it("import, ls, check, tag, label, usage, inspect", async () => {
    await twins.same([
      "images import {dir}/image.tar",
      ...collect,
      "content ls",
      "snapshots ls",
      "images ls",
      "images ls -q",
      "images check",
      `images tag ${name} example.org/twins/image:2`,
      `images tag ${name} example.org/twins/image:2`,
      "images tag nothing:1 example.org/x:2",
      `images tag --local ${name} example.org/twins/image:3`,
      `images label ${name} a=b`,
      "images ls name==example.org/twins/image:2",
      "images ls labels.a==b",
      "images ls name=bad",
      `images usage ${name}`,
      `images inspect ${name}`,
      "images rm example.org/twins/image:2 example.org/twins/image:3 nothing",
    ]);
  });

  it("mount and unmount", async () => {
    await twins.same([
      `images mount ${name} {dir}/mnt`,
      "snapshots ls",
      "images unmount {dir}/mnt",
      "images unmount --rm {dir}/mnt",
      `images mount --rw ${name} {dir}/mnt`,
      "images unmount --rm {dir}/mnt",
      "images mount nothing {dir}/mnt",
      "images unmount {dir}/none",
    ]);
  });

  it("rm --sync takes all that only the image kept", async () => {
    await twins.same([
      `content rm ${image.config}`,
      "images check",
      `images rm --sync ${name}`,
      "content ls -q",
      "snapshots ls",
    ]);
  });

  it("import of all platforms, of one, under the name of the archive, and of what is no image", async () => {
    await twins.same([
      "images import --all-platforms {dir}/image.tar",
      ...collect,
      "content ls",
      "images import --no-unpack --index-name example.org/twins/index:9 {dir}/image.tar",
      "images ls",
      "images import --local --digests --base-name example.org/twins/other {dir}/image.tar",
      "images import --platform linux/s390x --no-unpack {dir}/image.tar",
      "images ls",
      "content ls",
      "images import {dir}/missing.tar",
      "images import /etc/passwd",
    ]);
  });

  it("export", async () => {
    await twins.same([
      `images export {dir}/out.tar ${name}`,
      `images export --local {dir}/out.tar ${name}`,
      `images export --platform linux/s390x {dir}/out.tar ${name}`,
      // The stock ctr may leave before the last bytes of an export are written: what is read again comes from --local.
      `images export --local --platform linux/s390x {dir}/out.tar ${name}`,
      "images import --no-unpack {dir}/out.tar",
      `images export --platform linux/riscv64 {dir}/out.tar ${name}`,
      "images export {dir}/out.tar nothing:1",
      `images export --skip-manifest-json --all-platforms {dir}/out.tar ${name} example.org/twins/index:9`,
      `images export --local --skip-manifest-json --all-platforms {dir}/out.tar ${name} example.org/twins/index:9`,
      `images rm --sync ${name} example.org/twins/index:9 example.org/twins/other@${image.index}`,
      "content ls -q",
      "images import --all-platforms --no-unpack {dir}/out.tar",
      "images ls",
    ]);
  });

  it("push, also to a registry that speaks plain HTTP unasked", async () => {
    await twins.same([
      `images rm --sync ${name} example.org/twins/index:9`,
      "images import --all-platforms --no-unpack {dir}/image.tar",
      `images tag ${name} ${remote}`,
      `images push ${remote}`,
      `images push --plain-http ${remote}`,
      `images push --local --plain-http {registry}/twins/image:2 ${name}`,
      "images push --plain-http {registry}/twins/image:none",
      `images rm --sync ${name} ${remote}`,
      "content ls -q",
    ]);
  });

  for (const flags of [
    "--plain-http",
    "--plain-http --local",
    "--plain-http --all-platforms",
    "--plain-http --skip-metadata",
    "--plain-http --platform linux/s390x",
    "--plain-http --label a=b",
    "--local",
  ]) {
    it(`pull ${flags}`, async () => {
      await twins.same([
        `images pull ${flags} ${remote}`,
        "images ls",
        "content ls",
        "snapshots ls",
        `images rm --sync ${remote}`,
        "content ls -q",
      ]);
    });
  }

  it("pull of what is not there", async () => {
    await twins.same([
      "images pull --plain-http --local {registry}/twins/image:missing",
      "images pull --plain-http 127.0.0.1:1/twins/image:1",
      "images pull --plain-http --local 127.0.0.1:1/twins/image:1",
      "images pull --plain-http nonsense",
      "images pull --plain-http {registry}/twins/image",
      "content active",
      "content ls -q",
    ]);
  });

  it("content fetch, fetch-object and push-object", async () => {
    await twins.same([
      `content fetch --plain-http ${remote}`,
      "content ls",
      "content fetch --plain-http {registry}/twins/image:missing",
      `content fetch-object --plain-http ${remote} ${image.config}`,
      `content push-object --plain-http {registry}/twins/fresh:1 ${image.config} application/vnd.oci.image.config.v1+json`,
      `content rm ${image.layers[0]}`,
      "images check",
      `images rm --sync ${remote}`,
    ]);
  });
});
