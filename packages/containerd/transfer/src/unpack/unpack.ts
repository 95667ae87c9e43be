import { randomBytes } from "node:crypto";
import { InvalidArgument, isKind, wrap } from "@longshore/errdefs";
import type { Mount, Scope, Snapshotter } from "@longshore/metadata";
import { type Descriptor, chainIds } from "@longshore/oci";
import type { Applier, ScopeOpener } from "../contract.ts";
import { addLabels } from "../images/gc-labels.ts";
import { hold, withLease } from "../lease.ts";
import { SharedWork } from "../pull/shared-work.ts";

export interface UnpackRequest {
  readonly scope: Scope;
  readonly snapshotter: string;
  /** The layers, lowest first, and what each is uncompressed. */
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
  /** Blob that keeps the topmost snapshot. */
  readonly config: Descriptor;
  /** Resolves once the layer is in the content store. */
  readonly fetched: (layer: Descriptor, position: number) => Promise<void>;
  readonly onStart?: (layer: Descriptor) => void;
  readonly onDone?: (layer: Descriptor) => void;
  readonly signal: AbortSignal;
}

async function exists(snapshotter: Snapshotter, key: string): Promise<boolean> {
  try {
    await snapshotter.stat(key);
    return true;
  } catch (error) {
    if (isKind(error, "NotFound")) return false;
    throw error;
  }
}

/** A name for a snapshot while it is filled; nanoseconds as containerd writes them. */
function extractKey(chainId: string): string {
  return `extract-${process.hrtime.bigint() % 1_000_000_000n}-${randomBytes(3).toString("base64url")} ${chainId}`;
}

/** One layer's place in its chain. */
interface Step {
  readonly diffId: string;
  readonly chainId: string;
  readonly parent: string;
}

/** Turns layers into snapshots named by chain ID. */
export class Unpacker {
  readonly #open: ScopeOpener;
  readonly #applier: Applier;
  readonly #work = new SharedWork<void>();

  constructor(open: ScopeOpener, applier: Applier) {
    this.#open = open;
    this.#applier = applier;
  }

  /**
   * Unpacks layer by layer, each as soon as it is there; a chain that exists is left as it is.
   * @returns the chain ID of the topmost layer, "" without layers
   * @throws InvalidArgument for a bad layer or one that is not what the configuration says; its snapshot is removed
   */
  async unpack(request: UnpackRequest): Promise<string> {
    const { layers, diffIds, scope, config } = request;
    if (layers.length !== diffIds.length) throw new InvalidArgument("mismatched image rootfs and manifest layers");
    const snapshotter = scope.snapshotter(request.snapshotter);
    const chain = chainIds(diffIds);
    for (const [position, layer] of layers.entries()) {
      const chainId = chain[position] ?? "";
      // Two pulls of images that share layers unpack each of them once.
      await hold(scope, { type: `snapshots/${request.snapshotter}`, id: chainId });
      const key = JSON.stringify([scope.namespace, request.snapshotter, chainId]);
      await this.#work.run(
        key,
        request.signal,
        () => undefined,
        async (signal) => {
          if (await exists(snapshotter, chainId)) return;
          await request.fetched(layer, position);
          signal.throwIfAborted();
          request.onStart?.(layer);
          // A lease of its own: this pull may be given up while another waits for the same layer.
          await withLease(this.#open, { namespace: scope.namespace }, (own) =>
            this.#layer(
              own,
              request.snapshotter,
              layer,
              { diffId: diffIds[position] ?? "", chainId, parent: chain[position - 1] ?? "" },
              signal,
            ),
          );
          request.onDone?.(layer);
        },
      );
      await request.fetched(layer, position);
      await addLabels(scope.content, layer.digest, { "containerd.io/uncompressed": diffIds[position] ?? "" });
    }
    const top = chain.at(-1) ?? "";
    if (top !== "")
      await addLabels(scope.content, config.digest, { [`containerd.io/gc.ref.snapshot.${request.snapshotter}`]: top });
    return top;
  }

  async #layer(scope: Scope, name: string, layer: Descriptor, step: Step, signal: AbortSignal): Promise<void> {
    const { diffId, chainId, parent } = step;
    const snapshotter = scope.snapshotter(name);
    const key = extractKey(chainId);
    let mounts: Mount[];
    try {
      mounts = await snapshotter.prepare(key, parent, { "containerd.io/snapshot.ref": chainId });
    } catch (error) {
      // A remote snapshotter may have the layer by itself.
      if (isKind(error, "AlreadyExists") && (await exists(snapshotter, chainId))) return;
      throw wrap(`failed to prepare extraction snapshot "${key}"`, error);
    }
    try {
      const applied = await this.#applier.apply(scope.content, layer, mounts, signal).catch((error: unknown) => {
        throw wrap(`failed to extract layer (${layer.mediaType} ${layer.digest}) to ${name} as "${key}"`, error);
      });
      if (applied.diffId !== diffId)
        throw new InvalidArgument(`wrong diff id "${applied.diffId}" calculated on extraction "${diffId}"`);
      await snapshotter.commit(chainId, key).catch(async (error: unknown) => {
        if (!isKind(error, "AlreadyExists")) throw error;
        await snapshotter.remove(key);
      });
    } catch (error) {
      await snapshotter.remove(key).catch((failure: unknown) => {
        if (!isKind(failure, "NotFound")) throw failure;
      });
      throw error;
    }
  }
}
