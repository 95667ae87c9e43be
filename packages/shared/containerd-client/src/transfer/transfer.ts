import type { Any } from "@bufbuild/protobuf/wkt";
import type { Platform } from "@longshore/oci";
import { unpackAny } from "@longshore/proto";
import { type Progress, ProgressSchema } from "@longshore/proto/containerd/types/transfer/transfer";
import type { ClientContext } from "../connection/context.ts";
import { atOnce, underLease } from "../namespaces/metadata.ts";
import { ClientStream } from "./stream.ts";

/** One transfer inside containerd: what from, where to, and who listens to its progress. */
export interface TransferRequest {
  readonly source: Any;
  readonly destination: Any;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  readonly lease?: string;
  /** Blobs moved at once; absent: as containerd is set. */
  readonly concurrency?: number;
}

async function listen(stream: ClientStream, onProgress: (progress: Progress) => void): Promise<void> {
  for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
    const progress = unpackAny(message, ProgressSchema);
    if (progress !== undefined) onProgress(progress);
  }
}

/** Runs a transfer to its end; all progress has been told when it resolves. */
export async function transfer(context: ClientContext, request: TransferRequest): Promise<void> {
  const { source, destination, onProgress, signal, lease, concurrency } = request;
  const stream = await ClientStream.open(context, "progress", signal);
  const listening = listen(stream, onProgress).catch((error: unknown) =>
    context.log.debug({ err: error }, "the progress of a transfer ended early"),
  );
  try {
    const metadata = {
      ...(lease === undefined ? {} : underLease(lease).metadata),
      ...(concurrency === undefined ? {} : atOnce(concurrency)),
    };
    const options = { signal, metadata };
    await context.containerd.transfer.transfer(
      { source, destination, options: { progressStream: stream.id } },
      options,
    );
    await listening;
  } finally {
    await stream.end();
  }
}

/** A platform as containerd's messages hold it. */
export function platformMessage({ os, architecture, variant = "" }: Platform): {
  os: string;
  architecture: string;
  variant: string;
} {
  return { os, architecture, variant };
}
