import { lstatSync, readdirSync } from "node:fs";
import { makeWhiteout, setOpaque } from "../extract/overlay.ts";
import { Extractor } from "../extract/extractor.ts";
import { cleanName, codeOf, fsPath, splitName } from "../extract/path.ts";
import { parentOf } from "../extract/parents.ts";
import { WalkedParents } from "../extract/walked.ts";
import { KeptMemory } from "../limits/memory.ts";
import { BadArchive } from "../tar/errors.ts";
import { type ByteString, type TarHeader, textOf } from "../tar/header.ts";
import type { TarEvent } from "../tar/parser.ts";

/** Names that begin so tell of a deletion (OCI image-spec, layer.md). */
export const whiteoutPrefix = ".wh.";
/** Hides all that lower layers have in the folder it stands in. */
export const opaqueWhiteout = ".wh..wh..opq";
/** aufs's own records, which mean nothing elsewhere. */
const whiteoutMetaPrefix = ".wh..wh.";

export interface LayerExtractorOptions {
  root: ByteString;
  /**
   * `overlay` writes deletions in overlayfs's form, into an upper folder; `remove` deletes, as fits a
   * folder that already shows what lies below.
   */
  whiteouts: "overlay" | "remove";
  /** The upper folder's lower ones, topmost first. */
  lowers: readonly ByteString[];
}

/** Applies a layer's entries, deletions included, to a root. */
export class LayerExtractor {
  readonly #whiteouts: "overlay" | "remove";
  /** Whether all that is there will have been made by this layer. */
  readonly #isFresh: boolean;
  readonly #parents: WalkedParents;
  readonly #extractor: Extractor;
  readonly #kept = new KeptMemory();
  /** What this layer has made, and what that lies in: its own deletions are not meant for it. */
  readonly #made = new Set<ByteString>();

  constructor(options: LayerExtractorOptions) {
    const overlay = options.whiteouts === "overlay";
    this.#whiteouts = options.whiteouts;
    this.#isFresh = options.whiteouts === "remove" && readdirSync(fsPath(options.root)).length === 0;
    this.#parents = new WalkedParents({ root: options.root, overlay, lowers: options.lowers });
    this.#extractor = new Extractor({ parents: this.#parents, overlay, kept: this.#kept });
  }

  /** @throws BadArchive with Docker's message for an entry that leads out or is malformed */
  handle(event: TarEvent): void {
    if (event.kind === "entry" && this.#whiteout(event.header)) return;
    this.#extractor.handle(event);
  }

  /** @returns whether the entry told of a deletion */
  #whiteout(header: TarHeader): boolean {
    const name = cleanName(header.name.replace(/\/+$/, ""));
    // The extractor refuses it.
    if (name === undefined) return false;
    const { dir, base } = splitName(name);
    if (!base.startsWith(whiteoutPrefix)) {
      if (this.#whiteouts === "remove" && !this.#isFresh) this.#remember(name);
      return false;
    }
    if (base === opaqueWhiteout) this.#hideAll(dir);
    else if (!base.startsWith(whiteoutMetaPrefix)) this.#hide(dir, base.slice(whiteoutPrefix.length), name);
    return true;
  }

  #hideAll(dir: ByteString): void {
    const path = parentOf(this.#parents, dir, `${dir}/${opaqueWhiteout}`);
    if (this.#whiteouts === "overlay") return setOpaque(path);
    if (this.#isFresh) return;
    for (const base of readdirSync(fsPath(path), { encoding: "latin1" })) {
      const name = dir === "" ? base : `${dir}/${base}`;
      if (!this.#isMade(name)) this.#extractor.remove(name);
    }
  }

  #hide(dir: ByteString, base: ByteString, entry: ByteString): void {
    if (base === "" || base === "." || base === "..") throw new BadArchive(`invalid whiteout entry "${textOf(entry)}"`);
    const name = dir === "" ? base : `${dir}/${base}`;
    if (this.#whiteouts === "remove") {
      if (!this.#isMade(name)) this.#extractor.remove(name);
      return;
    }
    const path = `${parentOf(this.#parents, dir, entry)}/${base}`;
    try {
      makeWhiteout(path);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      // Made by this layer itself: it stays, and hides what it replaced.
      if (lstatSync(fsPath(path)).isDirectory()) setOpaque(path);
    }
  }

  /** With the folders that it lies in. */
  #remember(name: ByteString): void {
    for (let at = name; at !== "" && !this.#made.has(at); at = splitName(at).dir) {
      this.#made.add(at);
      this.#kept.keep(at);
    }
  }

  #isMade(name: ByteString): boolean {
    return this.#isFresh || this.#made.has(name);
  }

  finish(): void {
    this.#extractor.finish();
  }

  close(): void {
    this.#extractor.close();
  }
}
