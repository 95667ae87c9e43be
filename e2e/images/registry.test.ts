import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "../stock/registry.ts";
import { shared } from "../engine/shared.ts";
import { must } from "../host/exec.ts";

describe("push and pull", () => {
  const registry = new Registry();
  let image: string;
  before(async () => {
    await registry.start();
    image = `${registry.address}/team/app:1`;
  });
  after(() => registry.stop());
  afterEach(() => shared.docker(["rmi", "-f", image]));

  it("what was pushed is pulled again, and run pulls by itself", async () => {
    await shared.ok(["tag", "busybox", image]);
    const pushed = await shared.ok(["push", image]);
    const digest = /1: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(pushed)?.[1];
    assert.ok(digest, pushed);
    await shared.ok(["rmi", image]);
    const pulled = await shared.ok(["pull", image]);
    assert.match(pulled, new RegExp(`Digest: ${digest}`));
    assert.match(pulled, /Status: Downloaded newer image for /);
    assert.match(await shared.ok(["pull", image]), /Status: Image is up to date for /);
    assert.equal(
      await shared.ok(["image", "inspect", "-f", "{{index .RepoDigests 0}}", image]),
      `${registry.address}/team/app@${digest}`,
    );
    await shared.ok(["rmi", image]);
    const run = await shared.docker(["run", "--rm", image, "echo", "pulled on the way"]);
    assert.equal(run.stdout, "pulled on the way\n");
    assert.match(run.stderr, /Unable to find image/);
    assert.equal(
      (await shared.docker(["run", "--rm", "--pull", "never", `${registry.address}/team/other:1`])).code,
      125,
    );
    await shared.ok(["pull", "-q", `${registry.address}/team/app@${digest}`]);
  });

  it("an unknown tag and an unknown repository are told as Docker tells them", async () => {
    await shared.ok(["tag", "busybox", image]);
    await shared.ok(["push", "-q", image]);
    const tag = await shared.docker(["pull", `${registry.address}/team/app:none`]);
    assert.match(tag.stderr, /manifest unknown|not found/);
    const repository = await shared.docker(["pull", `${registry.address}/team/none:1`]);
    assert.match(repository.stderr, /not found|manifest unknown/);
  });

  it("a layer whose bytes do not match its digest is refused, and nothing is kept", async () => {
    const victim = `${registry.address}/team/victim:1`;
    await must("sh", [
      "-c",
      `mkdir ${registry.dir}/r && head -c 100000 /dev/urandom > ${registry.dir}/r/file && tar -C ${registry.dir}/r -cf ${registry.dir}/r.tar .`,
    ]);
    await shared.ok(["import", join(registry.dir, "r.tar"), victim]);
    await shared.ok(["push", "-q", victim]);
    await shared.ok(["rmi", victim]);
    const layer = await onlyLayer(registry.address, "team/victim");
    const file = join(registry.dir, "data/docker/registry/v2/blobs/sha256", layer.slice(7, 9), layer.slice(7), "data");
    const original = readFileSync(file);
    const tampered = Buffer.from(original);
    tampered[100] = (tampered[100] ?? 0) ^ 0xff;
    writeFileSync(file, tampered);
    const refused = await shared.docker(["pull", victim]);
    assert.notEqual(refused.code, 0);
    assert.equal(await shared.ok(["images", "-q", victim]), "");
    writeFileSync(file, original);
    await shared.ok(["pull", "-q", victim]);
    await shared.ok(["rmi", victim]);
  });
});

/** The digest of the one layer of `repository:1`, an index followed to its first manifest. */
async function onlyLayer(address: string, repository: string): Promise<string> {
  const accept = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ].join(", ");
  let reference = "1";
  for (;;) {
    const response = await fetch(`http://${address}/v2/${repository}/manifests/${reference}`, { headers: { accept } });
    const document = (await response.json()) as { layers?: { digest: string }[]; manifests?: { digest: string }[] };
    const layer = document.layers?.[0]?.digest;
    if (layer !== undefined) return layer;
    reference = document.manifests?.[0]?.digest ?? assert.fail(`${repository} has neither layers nor manifests`);
  }
}
