import { createHash } from "node:crypto";
import type { ContainerdClient } from "@longshore/containerd-client";
import { NotFound, AlreadyExists } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { type Descriptor, type Index, type Manifest, type Platform, mediaTypes } from "@longshore/oci";
import { Connections } from "@longshore/remotes";
import type { ImagesContext } from "../model/context.ts";
import type { ContainerUsage } from "../model/contract.ts";

interface StoredImage {
  name: string;
  labels: Record<string, string>;
  target: { mediaType: string; digest: string; size: bigint; annotations: Record<string, string> };
  updatedAt: { seconds: bigint; nanos: number };
  createdAt: { seconds: bigint; nanos: number };
}

/** As much of containerd as image records and documents need, in memory. */
class MemoryContainerd {
  readonly images = new Map<string, StoredImage>();
  readonly blobs = new Map<string, Buffer>();
  readonly snapshots = new Map<string, number>();

  /** @returns the document's descriptor */
  put(mediaType: string, document: object | string): Descriptor {
    const bytes = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Forgets blobs that no image leads to. */
  #collect(): void {
    const kept = new Set([...this.images.values()].map(({ target }) => target.digest));
    for (const digest of kept)
      for (const [below] of this.blobs
        .get(digest)
        ?.toString()
        .matchAll(/sha256:[0-9a-f]{64}/g) ?? [])
        kept.add(below);
    for (const digest of this.blobs.keys()) if (!kept.has(digest)) this.blobs.delete(digest);
  }

  client(): ContainerdClient {
    const read = (digest: string): Buffer => {
      const blob = this.blobs.get(digest);
      if (blob === undefined) throw new NotFound(`content ${digest}: not found`);
      return blob;
    };
    const time = { seconds: 1_700_000_000n, nanos: 0 };
    const { blobs, snapshots } = this;
    const client = {
      images: {
        list: async ({ filters }: { filters?: string[] }) => ({
          images: [...this.images.values()].filter(matching(filters ?? [])),
        }),
        get: async ({ name }: { name: string }) => {
          const image = this.images.get(name);
          if (image === undefined) throw new NotFound(`image "${name}": not found`);
          return { image };
        },
        create: async ({ image }: { image: StoredImage }) => {
          if (this.images.has(image.name)) throw new AlreadyExists(`image "${image.name}": already exists`);
          this.images.set(image.name, { ...image, createdAt: time, updatedAt: time });
        },
        update: async ({ image }: { image: StoredImage }) =>
          void this.images.set(image.name, { ...image, createdAt: time, updatedAt: time }),
        delete: async ({ name, sync }: { name: string; sync?: boolean }) => {
          if (!this.images.delete(name)) throw new NotFound(`image "${name}": not found`);
          if (sync === true) this.#collect();
        },
      },
      content: {
        info: async ({ digest }: { digest: string }) => ({ info: { size: BigInt(read(digest).length), labels: {} } }),
        list: async function* () {
          yield { info: [...blobs].map(([digest, { length }]) => ({ digest, size: BigInt(length), labels: {} })) };
        },
        read: async function* ({ digest }: { digest: string }) {
          yield { offset: 0n, data: read(digest) };
        },
        delete: async ({ digest }: { digest: string }) => void this.blobs.delete(digest),
      },
      snapshots: {
        usage: async ({ key }: { key: string }) => {
          const size = this.snapshots.get(key);
          if (size === undefined) throw new NotFound(`snapshot ${key}: not found`);
          return { size: BigInt(size) };
        },
        list: async function* () {
          yield { info: [...snapshots.keys()].map((name) => ({ name, createdAt: time })) };
        },
      },
    };
    return client as unknown as ContainerdClient;
  }
}

/** Understands the filters that this package writes. */
function matching(filters: readonly string[]): (image: StoredImage) => boolean {
  return ({ target }) =>
    filters.length === 0 ||
    filters.some((filter) => {
      const exact = /^target\.digest==(.*)$/.exec(filter)?.[1];
      const pattern = /^target\.digest~=\/(.*)\/$/.exec(filter)?.[1];
      return exact === undefined
        ? pattern !== undefined && new RegExp(pattern).test(target.digest)
        : target.digest === exact;
    });
}

export interface TestImages {
  readonly context: ImagesContext;
  readonly containerd: MemoryContainerd;
  readonly containers: ContainerUsage[];
  /** `action name` of each event. */
  readonly events: string[];
  /** The attributes of each event. */
  readonly attributes: Readonly<Record<string, string>>[];
  /** Stores an image of one platform. @returns its manifest */
  image(options?: {
    platform?: Platform;
    labels?: Record<string, string>;
    created?: string;
    layer?: string;
  }): Descriptor;
  index(...manifests: Descriptor[]): Descriptor;
  name(name: string, target: Descriptor, labels?: Record<string, string>): void;
}

/** A context over memory, on a linux/amd64 machine. */
export function testImages(): TestImages {
  const containerd = new MemoryContainerd();
  const containers: ContainerUsage[] = [];
  const events: string[] = [];
  const attributes: Readonly<Record<string, string>>[] = [];
  const context: ImagesContext = {
    containerd: containerd.client(),
    owner: "/data",
    snapshotter: "overlayfs",
    platform: { os: "linux", architecture: "amd64" },
    containers: () => containers,
    registryHosts: () => Promise.resolve([]),
    hostsDir: "/nowhere",
    limits: { downloads: 3, uploads: 5 },
    connections: new Connections(),
    userAgent: "test",
    emit: (_type, action, { Attributes }) => {
      events.push(`${action} ${Attributes["name"] ?? ""}`);
      attributes.push(Attributes);
    },
    log: silent,
  };
  const time = { seconds: 1_700_000_000n, nanos: 0 };
  return {
    context,
    containerd,
    containers,
    events,
    attributes,
    image({
      platform = { os: "linux", architecture: "amd64" },
      labels,
      created = "2024-01-01T00:00:00Z",
      layer = "layer",
    } = {}) {
      const blob = containerd.put(mediaTypes.ociLayerGzip, layer);
      const diffId = `sha256:${createHash("sha256").update(`diff ${layer}`).digest("hex")}`;
      containerd.snapshots.set(diffId, 1000);
      const config = containerd.put(mediaTypes.ociConfig, {
        ...platform,
        created,
        config: { Cmd: ["sh"], ...(labels === undefined ? {} : { Labels: labels }) },
        rootfs: { type: "layers", diff_ids: [diffId] },
        history: [{ created, comment: "made" }],
      });
      const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [blob] };
      return containerd.put(mediaTypes.ociManifest, manifest);
    },
    index(...manifests) {
      const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
      return containerd.put(mediaTypes.ociIndex, index);
    },
    name(name, { mediaType, digest, size }, labels = {}) {
      containerd.images.set(name, {
        name,
        labels,
        target: { mediaType, digest, size: BigInt(size), annotations: {} },
        createdAt: time,
        updatedAt: time,
      });
    },
  };
}
