import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalStore, readBlob } from "@longshore/content";
import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import { Metadata, type Mount, type Scope, type SnapshotInfo, type Snapshotter } from "@longshore/metadata";
import { type Descriptor, mediaTypes } from "@longshore/oci";
import { type Reference, parseNormalized } from "@longshore/reference";
import type { ContentOpener, PushOptions, PushResult } from "@longshore/remotes";
import { Transfer } from "../transfer.ts";
import type { Applier, ImageArchiver, ImageDestination, Progress, TransferCall } from "../contract.ts";
import type { Registry, Source } from "../pull/download.ts";

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Snapshots that hold nothing, as a backend keeps them. */
class MemorySnapshotter implements Snapshotter {
  readonly snapshots = new Map<string, SnapshotInfo>();

  async stat(key: string): Promise<SnapshotInfo> {
    const info = this.snapshots.get(key);
    if (info === undefined) throw new NotFound(`snapshot ${key} does not exist: not found`);
    return info;
  }
  async update(info: Pick<SnapshotInfo, "name" | "labels">): Promise<SnapshotInfo> {
    return this.stat(info.name);
  }
  async usage(): Promise<{ size: number; inodes: number }> {
    return { size: 0, inodes: 0 };
  }
  async mounts(): Promise<Mount[]> {
    return [];
  }
  async prepare(key: string, parent: string): Promise<Mount[]> {
    if (this.snapshots.has(key)) throw new AlreadyExists(`snapshot ${key}: already exists`);
    this.snapshots.set(key, {
      name: key,
      parent,
      kind: "active",
      labels: {},
      createdAt: new Date(),
      updatedAt: new Date(),
    });
    return [];
  }
  async view(key: string, parent: string): Promise<Mount[]> {
    return this.prepare(key, parent);
  }
  async commit(name: string, key: string): Promise<void> {
    const info = await this.stat(key);
    this.snapshots.delete(key);
    this.snapshots.set(name, { ...info, name, kind: "committed" });
  }
  async remove(key: string): Promise<void> {
    await this.stat(key);
    this.snapshots.delete(key);
  }
  async *list(): AsyncGenerator<SnapshotInfo> {
    yield* this.snapshots.values();
  }
  async cleanup(): Promise<void> {}
}

/** A registry in memory; `onFetch` may replace what is sent. */
class MemoryRegistry implements Registry {
  readonly blobs = new Map<string, Buffer>();
  readonly tags = new Map<string, Descriptor>();
  /** Digests as they were fetched and pushed, with the offset. */
  readonly fetched: string[] = [];
  readonly pushed: string[] = [];
  onFetch: (descriptor: Descriptor, content: Buffer) => AsyncIterable<Uint8Array> = async function* (_, content) {
    yield content;
  };

  add(mediaType: string, content: Buffer | object): Descriptor {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** An image of these layers (plain tars to the configuration, whatever they hold). */
  addImage(tag: string, layers: readonly Buffer[], architecture = "amd64", diffIds = layers.map(digestOf)): Descriptor {
    const config = this.add(mediaTypes.ociConfig, {
      os: "linux",
      architecture,
      rootfs: { type: "layers", diff_ids: diffIds },
    });
    const manifest = this.add(mediaTypes.ociManifest, {
      schemaVersion: 2,
      config,
      layers: layers.map((layer) => this.add(mediaTypes.ociLayer, layer)),
    });
    this.tags.set(tag, manifest);
    return manifest;
  }

  async resolve(reference: Reference): Promise<Descriptor> {
    const descriptor = this.tags.get(reference.tag ?? "");
    if (descriptor === undefined) throw new NotFound("x: not found: manifest unknown: manifest unknown");
    return descriptor;
  }

  async *fetch(_: Reference, descriptor: Descriptor, { offset = 0 } = {}): AsyncGenerator<Uint8Array> {
    this.fetched.push(`${descriptor.digest}+${offset}`);
    const bytes = this.blobs.get(descriptor.digest);
    if (bytes === undefined) throw new NotFound(`blob unknown: ${descriptor.digest}`);
    yield* this.onFetch(descriptor, bytes.subarray(offset));
  }

  async push(
    reference: Reference,
    descriptor: Descriptor,
    open: ContentOpener,
    options: PushOptions = {},
  ): Promise<PushResult> {
    const [from] = options.mountFrom ?? [];
    const chunks: Uint8Array[] = [];
    for await (const chunk of open(0)) chunks.push(chunk);
    this.blobs.set(descriptor.digest, Buffer.concat(chunks));
    this.pushed.push(descriptor.digest);
    if (options.tag !== undefined) this.tags.set(options.tag, descriptor);
    return from === undefined || reference.path === "" ? { status: "pushed" } : { status: "mounted", from };
  }
}

/** A containerd's worth of stores in a temporary folder, with a transfer service on them. */
export class Fixture {
  readonly registry = new MemoryRegistry();
  readonly snapshotter = new MemorySnapshotter();
  readonly progress: Progress[] = [];
  readonly archive = new Map<string, Descriptor[]>();
  #dir = "";
  #metadata: Metadata | undefined;
  transfer!: Transfer;

  async open(): Promise<this> {
    this.#dir = await mkdtemp(join(tmpdir(), "transfer-"));
    const metadata = await Metadata.open({
      root: this.#dir,
      content: await LocalStore.open(join(this.#dir, "content")),
      snapshotters: { overlayfs: this.snapshotter },
      publisher: { publish: () => undefined },
      logger: silent,
    });
    this.#metadata = metadata;
    // A layer that holds the word EVIL cannot be unpacked.
    const applier: Applier = {
      async apply(content, layer) {
        const bytes = await readBlob(content, layer.digest);
        if (bytes.includes("EVIL")) throw new InvalidArgument("invalid entry ../x");
        return { diffId: digestOf(bytes), size: bytes.length };
      },
    };
    const archiver: ImageArchiver = {
      read: async (source) => {
        let name = "";
        for await (const chunk of source) name += Buffer.from(chunk).toString();
        const images = this.archive.get(name);
        if (images === undefined) throw new InvalidArgument("unexpected EOF");
        return { images, index: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: images })) };
      },
      async *write(images) {
        for (const image of images) yield Buffer.from(`${JSON.stringify(image.annotations)}\n`);
      },
    };
    this.transfer = new Transfer({
      open: (call) => metadata.scope(call),
      applier,
      archiver,
      defaultSnapshotter: async () => "overlayfs",
    });
    return this;
  }

  async remove(): Promise<void> {
    await this.#metadata?.close();
    await rm(this.#dir, { recursive: true });
  }

  get scope(): Scope {
    if (this.#metadata === undefined) throw new Error("the fixture is not open");
    return this.#metadata.scope({ namespace: "test" });
  }

  async collect(): Promise<void> {
    await this.#metadata?.collectGarbage();
  }

  call(signal: AbortSignal = new AbortController().signal): TransferCall {
    return { namespace: "test", signal, progress: (message) => this.progress.push(message) };
  }

  source(tag = "1"): Source {
    return { registry: this.registry, reference: parseNormalized(`reg.example/x:${tag}`) };
  }

  async blobs(): Promise<string[]> {
    const digests: string[] = [];
    for await (const { digest } of this.scope.content.list()) digests.push(digest);
    return digests;
  }
}

export function destination(name: string, more: Partial<ImageDestination> = {}): ImageDestination {
  const linux = { os: "linux", architecture: "amd64" };
  return {
    name,
    labels: {},
    platforms: [linux],
    allMetadata: false,
    manifestLimit: 0,
    extraReferences: [],
    unpacks: [{ platform: linux, snapshotter: "" }],
    ...more,
  };
}
