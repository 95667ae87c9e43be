import type { DistributionInspect } from "@longshore/docker-api";
import { Unknown, fromGrpcCode, grpcCodeOf, isKind, messageOf } from "@longshore/errdefs";
import { type Descriptor, isImageConfig, isIndex, isManifest, parseIndex, parseManifest } from "@longshore/oci";
import { parseAnyReference, tagNameOnly } from "@longshore/reference";
import { maxManifestBytes, readVerified } from "@longshore/remotes";
import type { ImagesContext, RegistryCall } from "../model/context.ts";
import { parseImageDocument, platformOf } from "../model/manifests.ts";
import { registryClient } from "./registry.ts";
import { showDescriptor, showPlatform } from "../model/shown.ts";

/** Reads a document from the registry. @throws InvalidArgument when it is not what it should be */
type Read = <T>(target: Descriptor, parse: (digest: string, text: string) => T) => Promise<T>;
type Platforms = DistributionInspect["Platforms"];

/**
 * What a registry has under a name, without pulling it.
 * @throws InvalidArgument for what is no name, and the registry's refusals
 */
export async function inspectDistribution(
  context: ImagesContext,
  name: string,
  call: RegistryCall,
): Promise<DistributionInspect> {
  const parsed = parseAnyReference(name);
  if (parsed.kind === "digest") throw new Unknown("no manifest found for full image ID");
  const reference = tagNameOnly(parsed.reference);
  const registry = registryClient(context, call);
  const descriptor = await registry.resolve(reference, call.signal).catch((error: unknown) => {
    throw refusal(error);
  });
  const read: Read = async (target, parse) =>
    parse(
      target.digest,
      (
        await readVerified(registry.fetch(reference, target, { signal: call.signal }), target, maxManifestBytes)
      ).toString("utf8"),
    );
  return { Descriptor: showDescriptor(descriptor), Platforms: await platformsOf(descriptor, read) };
}

/** A registry's own words; one that is out of reach is a plain failure. */
function refusal(error: unknown): Error {
  const text = messageOf(error).replace(/^.*?: not found: /, "");
  return fromGrpcCode(isKind(error, "Unavailable") ? grpcCodeOf(new Unknown(text)) : grpcCodeOf(error), text, error);
}

async function platformsOf(descriptor: Descriptor, read: Read): Promise<Platforms> {
  if (isIndex(descriptor)) {
    const { manifests } = await read(descriptor, parseIndex);
    return manifests.flatMap(({ platform }) => (platform === undefined ? [] : [showPlatform(platform)]));
  }
  if (!isManifest(descriptor)) return [];
  const { config } = await read(descriptor, parseManifest);
  if (!isImageConfig(config)) return [];
  return [showPlatform(platformOf(await read(config, parseImageDocument)))];
}
