import { createHash } from "node:crypto";

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const indexType = "application/vnd.oci.image.index.v1+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";

const digestOf = (data: Buffer): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** One file of a tar in ustar's form. */
function entry(name: string, data: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(
    `0000644\0${"0000000\0".repeat(2)}${data.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`,
    100,
  );
  header.write("ustar\x0000", 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

function tarOf(files: Iterable<readonly [string, Buffer | string]>): Buffer {
  return Buffer.concat([...[...files].map(([name, data]) => entry(name, Buffer.from(data))), Buffer.alloc(1024)]);
}

/** What a hostile image has in place of what it should have. */
export interface Lies {
  config?: unknown;
  /** Members of the descriptor in the archive's index, instead of the true ones. */
  target?: object;
  /** Members of the manifest. */
  manifest?: object;
  /** Indexes around it, each naming the next so many times. */
  levels?: number;
  times?: number;
}

/** An image and all that it is made of. */
export class Image {
  readonly blobs = new Map<string, Buffer>();
  readonly target: Descriptor;

  constructor({ config, manifest = {}, levels = 0, times = 1 }: Lies = {}) {
    const layer = tarOf([["file", "x"]]);
    const good = {
      os: "linux",
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      config: { Labels: { a: "b" } },
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    };
    const document = Buffer.isBuffer(config)
      ? config
      : Buffer.from(JSON.stringify(config === undefined ? good : config));
    const members = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: this.#put(configType, document),
      layers: [this.#put(layerType, layer)],
      ...manifest,
    };
    let target = this.#put(manifestType, Buffer.from(JSON.stringify(members)));
    for (let level = 0; level < levels; level++) {
      const manifests = Array.from({ length: times }, () => target);
      target = this.#put(indexType, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })));
    }
    this.target = target;
  }

  #put(mediaType: string, data: Buffer): Descriptor {
    const digest = digestOf(data);
    this.blobs.set(digest, data);
    return { mediaType, digest, size: data.length };
  }

  /** An OCI layout in a tar. */
  archive(name: string, target: object = {}): Buffer {
    const described = {
      ...this.target,
      annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "1" },
      ...target,
    };
    return tarOf([
      ...[...this.blobs].map(([digest, data]) => [`blobs/${digest.replace(":", "/")}`, data] as const),
      ["index.json", JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [described] })],
      ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
    ]);
  }
}
