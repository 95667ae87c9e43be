import {
  getRecord,
  type ImageRecord,
  importImages,
  type Lease,
  listRecords,
  unpackManifest,
  unpackStored,
  withLease,
} from "@longshore/containerd-client";
import { InvalidArgument, NotFound } from "@longshore/errdefs";
import type { Platform } from "@longshore/oci";
import type { ImagesContext } from "../model/context.ts";
import type { ProgressOutput } from "../model/contract.ts";
import { emitImage } from "../model/events.ts";
import { formatAsGiven, isSamePlatform, readManifests } from "../model/manifests.ts";
import { familiarOf, isDangling, keepDangling } from "../model/records.ts";

/** Unpacks what this machine can run; the platform's image has to be there when one is asked for. */
async function unpackRunnable(
  context: ImagesContext,
  records: readonly ImageRecord[],
  platform: Platform | undefined,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const wanted = platform ?? context.platform;
  let found = false;
  for (const record of records) {
    const manifests = await readManifests(context, record.target);
    for (const manifest of manifests) {
      if (!manifest.available || manifest.document === undefined || manifest.platform === undefined) continue;
      if (!isSamePlatform(manifest.platform, wanted)) continue;
      found = true;
      await unpackStored(context, record.name, wanted, lease, signal);
      await unpackManifest(context, lease, manifest.descriptor);
    }
  }
  if (!found && platform !== undefined) {
    const [name, ...more] = records.map(familiarOf);
    const which = more.length === 0 ? `image ${name ?? ""} was` : `images [${[name, ...more].join(", ")}] were`;
    const does = more.length === 0 ? "doesn't" : "don't";
    throw new NotFound(`${which} loaded, but ${does} provide the requested platform (${formatAsGiven(platform)})`);
  }
}

/**
 * Loads the images of an archive (docker-archive or OCI layout in a tar).
 * @throws InvalidArgument for what is no such archive; no image is recorded then
 */
export async function loadImages(
  context: ImagesContext,
  archive: AsyncIterable<Uint8Array>,
  options: { platform?: Platform | undefined; signal: AbortSignal },
  output: ProgressOutput,
): Promise<void> {
  await withLease(context, async (lease) => {
    const before = await listRecords(context);
    for (const { target } of before)
      await context.containerd.leases.addResource({ id: lease.id, resource: { id: target.digest, type: "content" } });
    const names = await importImages(context, {
      archive,
      prefix: "moby-dangling",
      signal: options.signal,
      lease: lease.id,
    });
    if (names.length === 0) throw new InvalidArgument("unrecognized image format");
    const records = (await Promise.all(names.map((name) => getRecord(context, name)))).filter(
      (record) => record !== undefined,
    );
    for (const old of before) {
      const moved = records.find(({ name, target }) => name === old.name && target.digest !== old.target.digest);
      if (moved !== undefined) await keepDangling(context, { ...old, name: "" });
    }
    await unpackRunnable(context, records, options.platform, lease, options.signal);
    for (const record of records) {
      await emitImage(context, "load", record);
      const shown = isDangling(record)
        ? `Loaded image ID: ${record.target.digest}`
        : `Loaded image: ${familiarOf(record)}`;
      output({ stream: `${shown}\n` });
    }
  });
}
