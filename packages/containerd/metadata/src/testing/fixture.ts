import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalStore, digestOf } from "@longshore/content";
import { Exchange } from "@longshore/events";
import { silent } from "@longshore/logger";
import { FakeSnapshotter } from "./fake-snapshotter.ts";
import { Metadata, type Scope } from "../index.ts";

/** A metadata store in a directory of its own, for tests. */
export class Fixture {
  readonly root = mkdtempSync(join(tmpdir(), "metadata-"));
  readonly snapshotter = new FakeSnapshotter();
  readonly events = new Exchange();
  content!: LocalStore;
  metadata!: Metadata;

  /** Opens it, or opens it again as after a restart. @param dir of the database, when it is a copy */
  async open(dir = "metadata"): Promise<Scope> {
    this.content = await LocalStore.open(join(this.root, "content"));
    this.metadata = await Metadata.open({
      root: join(this.root, dir),
      content: this.content,
      snapshotters: { overlayfs: this.snapshotter },
      publisher: this.events,
      logger: silent,
      gc: { startupDelayMs: 1 << 30 },
    });
    return this.scope();
  }

  scope(namespace = "test", lease?: string): Scope {
    return this.metadata.scope({ namespace, lease });
  }

  async remove(): Promise<void> {
    await this.metadata.close();
    rmSync(this.root, { recursive: true });
  }
}

export function target(content: string): {
  mediaType: string;
  digest: string;
  size: number;
  annotations: Record<string, string>;
} {
  return {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(content),
    size: content.length,
    annotations: {},
  };
}
