import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { must } from "../host/exec.ts";

/** An image that comes out the same each time it is made. */
export interface Fixture {
  index: string;
  /** By the machine's platform. */
  manifest: string;
  config: string;
  layers: string[];
}

const when = "2020-01-02T03:04:05Z";
const sha256 = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/**
 * Writes an OCI archive of an image called `name` for two platforms: the machine's with two layers
 * (the second removes a file of the first), and one that no machine of ours has.
 */
export async function writeImage(archive: string, name: string): Promise<Fixture> {
  const dir = mkdtempSync(join(tmpdir(), "e2e-image-"));
  try {
    const layout = join(dir, "layout");
    mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
    const put = (mediaType: string, data: Buffer | string): { mediaType: string; digest: string; size: number } => {
      const digest = sha256(data);
      writeFileSync(join(layout, "blobs", digest.replace(":", "/")), data);
      return { mediaType, digest, size: Buffer.byteLength(data) };
    };
    const image = async (architecture: string, trees: readonly Record<string, string>[]) => {
      const tars = [];
      for (const [number, tree] of trees.entries()) tars.push(await tar(join(dir, `${architecture}-${number}`), tree));
      const layers = tars.map((data) => put("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(data)));
      const config = put(
        "application/vnd.oci.image.config.v1+json",
        JSON.stringify({
          architecture,
          os: "linux",
          created: when,
          config: { Cmd: ["sh"] },
          rootfs: { type: "layers", diff_ids: tars.map(sha256) },
        }),
      );
      const manifest = put(
        "application/vnd.oci.image.manifest.v1+json",
        JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers }),
      );
      return { config, layers, manifest: { ...manifest, platform: { architecture, os: "linux" } } };
    };
    const own = await image(process.arch === "arm64" ? "arm64" : "amd64", [
      { "etc/motd": "hello\n", "etc/old": "old\n", "bin/tool": "x".repeat(20_000) },
      { "etc/.wh.old": "", "etc/new": "new\n" },
    ]);
    const other = await image("s390x", [{ "etc/motd": "elsewhere\n" }]);
    const index = put(
      "application/vnd.oci.image.index.v1+json",
      JSON.stringify({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [own.manifest, other.manifest],
      }),
    );
    writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const annotations = { "io.containerd.image.name": name };
    writeFileSync(
      join(layout, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
    );
    await must("tar", ["-C", layout, "-cf", archive, "."]);
    return {
      index: index.digest,
      manifest: own.manifest.digest,
      config: own.config.digest,
      layers: own.layers.map(({ digest }) => digest),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function tar(dir: string, tree: Record<string, string>): Promise<Buffer> {
  for (const [path, data] of Object.entries(tree)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), data);
  }
  const file = `${dir}.tar`;
  await must("tar", [
    "-C",
    dir,
    "--sort=name",
    `--mtime=${when}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u=rwX,go=rX",
    "--format=ustar",
    "-cf",
    file,
    ".",
  ]);

  return readFileSync(file);
}
