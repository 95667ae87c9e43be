import { type ImageRecord } from "@longshore/containerd-client";
import { messageOf } from "@longshore/errdefs";
import type { ImagesContext } from "./context.ts";
import { familiarOf } from "./records.ts";

/** What is wrong with images, by their names as Docker shows them, for each containerd: as the last list found it. */
const known = new WeakMap<object, ReadonlyMap<string, string>>();

/** Images that one list has found to be unreadable. */
export class DamagedImages {
  readonly #found = new Map<string, string>();

  add(records: readonly ImageRecord[], error: unknown): void {
    for (const record of records) this.#found.set(familiarOf(record), messageOf(error));
  }

  /** The list is complete: what is new is logged, once. */
  report(context: ImagesContext): void {
    const before = known.get(context.containerd);
    for (const [image, problem] of this.#found) {
      if (before?.get(image) !== problem)
        context.log.error({ image, problem }, "image cannot be read: left out of lists");
    }
    known.set(context.containerd, this.#found);
  }
}

/** What the last list of images left out, in words. */
export function damageOfImages(context: ImagesContext): string[] {
  return [...(known.get(context.containerd) ?? [])].map(
    ([image, problem]) => `image ${image} cannot be read and is left out of lists: ${problem}`,
  );
}
