import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { FakeContainerd, type Store } from "@longshore/containerd-client/testing";
import { silent } from "@longshore/logger";
import { type Descriptor, type Index, type Manifest, type Platform, mediaTypes } from "@longshore/oci";
import { ImageSchema } from "@longshore/proto/containerd/services/images/v1/images";
import { Connections } from "@longshore/remotes";
import type { ImagesContext } from "../model/context.ts";
import type { ContainerUsage } from "../model/contract.ts";

/** When all that the fixture makes was made. */
const time = timestampFromMs(1_700_000_000_000);

/** A containerd in memory with what image records and documents need. */
class MemoryContainerd extends FakeContainerd {
  get images(): Store["images"] {
    return this.store().images;
  }

  get blobs(): Store["blobs"] {
    return this.store().blobs;
  }

  get snapshots(): ReturnType<Store["snapshots"]> {
    return this.store().snapshots("overlayfs");
  }

  /** Stores a document, which keeps what it names. @returns its descriptor */
  put(mediaType: string, document: object | string): Descriptor {
    const data = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
    const digest = `sha256:${createHash("sha256").update(data).digest("hex")}`;
    const named = data.toString().match(/sha256:[0-9a-f]{64}/g) ?? [];
    const labels = Object.fromEntries(
      named.flatMap((below, index) => [
        [`containerd.io/gc.ref.content.${index}`, below],
        [`containerd.io/gc.ref.snapshot.overlayfs/${index}`, below],
      ]),
    );
    this.blobs.set(digest, { data, labels, createdAt: time, updatedAt: time });
    return { mediaType, digest, size: data.length };
  }
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
      containerd.snapshots.set(diffId, {
        ...{ key: diffId, parent: "", kind: "committed" as const, labels: {}, size: 1000, path: "/nowhere" },
        ...{ createdAt: time, updatedAt: time },
      });
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
      const target = { mediaType, digest, size: BigInt(size) };
      containerd.images.set(name, create(ImageSchema, { name, labels, target, createdAt: time, updatedAt: time }));
    },
  };
}
