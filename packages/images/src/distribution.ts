import type { DistributionInspect } from "@longshore/api";
import { Unknown, fromGrpcCode, grpcCodeOf, isKind, messageOf } from "@longshore/errdefs";
import { type Descriptor, type Index, type Manifest, mediaTypes } from "@longshore/oci";
import { parseAnyReference, tagNameOnly } from "@longshore/reference";
import { maxManifestBytes, readVerified } from "@longshore/remotes";
import type { ImagesContext, RegistryCall } from "./context.ts";
import { type ImageDocument, isIndex, platformOf } from "./manifests.ts";
import { registryClient } from "./registry.ts";
import { showDescriptor, showPlatform } from "./shown.ts";

type Platforms = DistributionInspect["Platforms"];

/**
 * What a registry has under a name, without pulling it.
 * @throws InvalidArgument for what is no name, and the registry's refusals
 */
export async function inspectDistribution(context: ImagesContext, name: string, call: RegistryCall): Promise<DistributionInspect> {
  const parsed = parseAnyReference(name);
  if (parsed.kind === "digest") throw new Unknown("no manifest found for full image ID");
  const reference = tagNameOnly(parsed.reference);
  const registry = registryClient(context, call);
  const descriptor = await registry.resolve(reference, call.signal).catch((error: unknown) => {
    throw refusal(error);
  });
  const read = async <T>(target: Descriptor): Promise<T> =>
    JSON.parse(Buffer.from(await readVerified(registry.fetch(reference, target, { signal: call.signal }), target, maxManifestBytes)).toString("utf8")) as T;
  return { Descriptor: showDescriptor(descriptor), Platforms: await platformsOf(descriptor, read) };
}

/** A registry's own words; one that is out of reach is a plain failure. */
function refusal(error: unknown): Error {
  const text = messageOf(error).replace(/^.*?: not found: /, "");
  return fromGrpcCode(isKind(error, "Unavailable") ? grpcCodeOf(new Unknown(text)) : grpcCodeOf(error), text, error);
}

async function platformsOf(descriptor: Descriptor, read: <T>(target: Descriptor) => Promise<T>): Promise<Platforms> {
  if (isIndex(descriptor)) {
    const { manifests } = await read<Index>(descriptor);
    return manifests.flatMap(({ platform }) => (platform === undefined ? [] : [showPlatform(platform)]));
  }
  if (descriptor.mediaType !== mediaTypes.ociManifest && descriptor.mediaType !== mediaTypes.dockerManifest) return [];
  const { config } = await read<Manifest>(descriptor);
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return [];
  return [showPlatform(platformOf(await read<ImageDocument>(config)))];
}
