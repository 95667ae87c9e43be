import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import type { ArchiveExportOptions, ReferenceRule, TransferCall } from "../contract.ts";
import type { Environment } from "../environment.ts";
import { imageNameAnnotation, refNameAnnotation } from "../images/image-names.ts";
import { withLease } from "../lease.ts";

export interface ExportedImages {
  readonly name: string;
  readonly extraReferences: readonly ReferenceRule[];
}

/**
 * `io.containerd.image.name` and the tag alone, by which other engines read the archive. A record
 * named by its digest alone (`x@sha256:…`, without a registry) has no name that means anything elsewhere.
 */
function annotationsOf(name: string): Record<string, string> {
  if (/^[^/]+@[a-z0-9]+:[0-9a-f]+$/.test(name)) return {};
  const tag = /:([^:/@]+)$/.exec(name)?.[1];
  return { [imageNameAnnotation]: name, ...(tag === undefined ? {} : { [refNameAnnotation]: tag }) };
}

/**
 * Writes images to `sink` as one archive.
 * @throws NotFound for an image or its content
 */
export async function exportImages(
  environment: Environment,
  images: ExportedImages,
  options: ArchiveExportOptions,
  sink: (content: AsyncIterable<Uint8Array>) => Promise<void>,
  call: TransferCall,
): Promise<void> {
  if (images.extraReferences.some(({ isPrefix }) => isPrefix))
    throw new NotImplemented("prefix lookup on export not implemented");
  const names = [...(images.name === "" ? [] : [images.name]), ...images.extraReferences.map(({ name }) => name)];
  if (names.length === 0) throw new InvalidArgument("no image name to export");
  call.progress({ event: "Exporting" });
  await withLease(environment.open, call, async (scope) => {
    const found = await Promise.all(names.map((name) => scope.images.get(name)));
    const archived = found.map(({ name, target }) => ({
      ...target,
      annotations: { ...target.annotations, ...annotationsOf(name) },
    }));
    await sink(environment.archiver.write(archived, scope.content, options));
  });
  call.progress({ event: "Completed export" });
}
