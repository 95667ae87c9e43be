import { setTimeout as sleep } from "node:timers/promises";
import type { Writer } from "@longshore/content";
import { isKind, wrap } from "@longshore/errdefs";
import type { Scope } from "@longshore/metadata";
import type { Descriptor } from "@longshore/oci";
import type { Reference } from "@longshore/reference";
import type { Registry as RegistryClient } from "@longshore/remotes";
import type { ScopeOpener } from "../contract.ts";
import { refKey } from "../images/documents.ts";
import { addSource, sourceLabelKey } from "../images/gc-labels.ts";
import { hold } from "../lease.ts";
import { SharedWork } from "./shared-work.ts";

/** Pause before asking again for an ingest that somebody else (a client's own pull) writes. */
const busyMs = 100;

/** What a transfer needs of a registry. */
export type Registry = Pick<RegistryClient, "resolve" | "fetch" | "push">;

/** A name at a registry, to pull from or to push to. */
export interface Source {
  readonly registry: Registry;
  readonly reference: Reference;
}

/** Opens the ingest; undefined when the blob is there by now. */
async function openWriter(scope: Scope, descriptor: Descriptor, signal: AbortSignal): Promise<Writer | undefined> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await scope.content.writer({
        ref: refKey(descriptor),
        size: descriptor.size,
        expected: descriptor.digest,
      });
    } catch (error) {
      if (isKind(error, "AlreadyExists")) return undefined;
      if (!isKind(error, "Unavailable")) throw error;
      await sleep(busyMs, undefined, { signal });
    }
  }
}

async function fill(
  writer: Writer,
  { registry, reference }: Source,
  descriptor: Descriptor,
  signal: AbortSignal,
  report: (done: number) => void,
): Promise<void> {
  if (writer.status().offset > descriptor.size) await writer.reset();
  let at = writer.status().offset;
  for await (const chunk of registry.fetch(reference, descriptor, { offset: at, signal })) {
    await writer.write(chunk);
    at += chunk.length;
    report(at);
  }
}

async function download(
  scope: Scope,
  source: Source,
  descriptor: Descriptor,
  signal: AbortSignal,
  report: (done: number) => void,
): Promise<Outcome> {
  for (let anew = false; ; anew = true) {
    const writer = await openWriter(scope, descriptor, signal);
    if (writer === undefined) return "exists";
    if (anew) await writer.reset();
    const resumed = writer.status().offset > 0;
    try {
      await fill(writer, source, descriptor, signal, report);
      await writer.commit(descriptor.size, descriptor.digest, {
        [sourceLabelKey(source.reference)]: source.reference.path,
      });
      return "fetched";
    } catch (error) {
      if (isKind(error, "AlreadyExists")) return "exists";
      if (!isKind(error, "FailedPrecondition")) throw error;
      // The wrong bytes may be those that an earlier try left.
      if (!resumed) throw wrap(`failed commit on ref "${refKey(descriptor)}"`, error);
    } finally {
      await writer.close();
    }
  }
}

export type Outcome = "exists" | "fetched";

/** Brings blobs and manifests from registries into the content store, each once at a time. */
export class Downloads {
  readonly #open: ScopeOpener;
  readonly #work = new SharedWork<Outcome>();

  constructor(open: ScopeOpener) {
    this.#open = open;
  }

  /**
   * Brings one blob in, from where an earlier try left it; the scope's lease keeps it.
   * @returns whether it was there already
   * @throws FailedPrecondition `failed commit on ref "layer-sha256:…": …` when digest or size differ
   */
  async fetch(
    scope: Scope,
    source: Source,
    descriptor: Descriptor,
    signal: AbortSignal,
    report: (done: number) => void,
  ): Promise<Outcome> {
    // Before anything is asked, so that what is found cannot be collected a moment later.
    await hold(scope, { type: "content", id: descriptor.digest });
    const { namespace } = scope;
    const outcome = await this.#work.run(
      JSON.stringify([namespace, descriptor.digest]),
      signal,
      report,
      (shared, tell) =>
        // Without a lease: an ingest then outlives a pull that breaks off, and the next one resumes it.
        download(this.#open({ namespace }), source, descriptor, shared, tell),
    );
    await addSource(scope.content, descriptor, source.reference);
    return outcome;
  }
}
