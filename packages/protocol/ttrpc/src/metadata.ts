import type { Request } from "@longshore/proto/ttrpc/ttrpc";

/** The metadata key that carries containerd's namespace over ttrpc. */
export const namespaceKey = "containerd-namespace-ttrpc";

/** Metadata of a call; a key may occur several times. */
export type Metadata = ReadonlyMap<string, readonly string[]>;

export function metadataOf(request: Request): Metadata {
  const metadata = new Map<string, string[]>();
  for (const { key, value } of request.metadata) {
    const values = metadata.get(key);
    if (values === undefined) metadata.set(key, [value]);
    else values.push(value);
  }
  return metadata;
}
