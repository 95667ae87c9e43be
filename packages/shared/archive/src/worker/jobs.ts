import { type Applied, type ApplyOptions, applyLayer, fileChunks } from "../apply/apply.ts";
import type { PathChange } from "../diff/change.ts";
import { type Diffed, type DiffOptions, type Trees, changesOf, diffStream } from "../diff/diff.ts";
import { type PackOptions, packStream } from "../files/pack.ts";
import { type UnpackOptions, unpack } from "../files/unpack.ts";
import { textOf } from "../tar/header.ts";

/** What a job reads and writes beside its options. */
export interface JobStreams {
  /** Bytes that come in; absent when the options name a file. */
  input: AsyncIterable<Uint8Array> | undefined;
  /** Takes the bytes that go out; settles when all are taken. */
  output: (source: AsyncIterable<Uint8Array>) => Promise<void>;
  signal: AbortSignal;
}

/** The jobs that workers do. */
export interface Jobs {
  apply: { options: ApplyOptions & { path?: string | undefined }; result: Applied };
  diff: { options: DiffOptions; result: Diffed };
  changes: { options: { trees: Trees }; result: PathChange[] };
  pack: { options: PackOptions; result: void };
  unpack: { options: UnpackOptions; result: void };
}

export type JobName = keyof Jobs;

type JobTable = { [K in JobName]: (options: Jobs[K]["options"], streams: JobStreams) => Promise<Jobs[K]["result"]> };

function sourceOf(path: string | undefined, input: AsyncIterable<Uint8Array> | undefined): AsyncIterable<Uint8Array> {
  if (path !== undefined) return fileChunks(path);
  if (input === undefined) throw new TypeError("neither a file nor a stream to read");
  return input;
}

export const jobs: JobTable = {
  apply: ({ path, ...options }, { input, signal }) => applyLayer(sourceOf(path, input), options, signal),
  async diff(options, { output, signal }) {
    const { stream, diffed } = diffStream(options, signal);
    await output(stream);
    return diffed();
  },
  changes: async ({ trees }) => [...changesOf(trees)].map(({ kind, name }) => ({ kind, path: `/${textOf(name)}` })),
  pack: (options, { output, signal }) => output(packStream(options, signal)),
  unpack: (options, { input, signal }) => unpack(sourceOf(undefined, input), options, signal),
};
