import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { list, struct, text, unmarshal } from "@longshore/go-json";
import { type Descriptor, parseIndex, parseJson } from "@longshore/oci";

/** One image in Docker's `manifest.json`. */
export interface DockerManifest {
  /** Path of the image configuration. */
  Config: string;
  RepoTags: string[] | null;
  /** Paths of the layers, lowest first. */
  Layers: string[];
  LayerSources?: Record<string, Pick<Descriptor, "mediaType" | "size" | "digest">>;
}

/** Annotations by which archives name their images. */
export const imageNameAnnotation = "io.containerd.image.name";
export const refNameAnnotation = "org.opencontainers.image.ref.name";

/** Bytes of the largest document of an archive: the manifests of a thousand images. */
export const maxArchiveDocument = 20 << 20;
/** Names that one archive may give, all its images together. */
const maxNames = 10_000;

const dockerManifests = list(
  struct("tarexport.manifestItem", { Config: text, RepoTags: list(text), Layers: list(text) }),
);

/** @throws InvalidArgument */
export function parseDockerManifests(bytes: Buffer): DockerManifest[] {
  const value = parseJson("manifest.json", bytes, maxArchiveDocument);
  if (value === null) throw new InvalidArgument("invalid manifest, manifest cannot be null (but can be [])");
  const items = named("manifest.json", () => unmarshal(dockerManifests, value)) as (
    | Partial<DockerManifest>
    | undefined
  )[];
  const manifests = items.map((item) => ({
    Config: item?.Config ?? "",
    RepoTags: item?.RepoTags ?? [],
    Layers: item?.Layers ?? [],
  }));
  const names = manifests.reduce((sum, { RepoTags }) => sum + RepoTags.length, manifests.length);
  if (names > maxNames) throw new InvalidArgument(`manifest.json: ${names} names are more than ${maxNames}`);
  return manifests;
}

function named<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgument(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws InvalidArgument */
export function parseIndexManifests(bytes: Buffer): Descriptor[] {
  return parseIndex("index.json", bytes).manifests;
}

const ociLayout = struct("v1.ImageLayout", { imageLayoutVersion: text });

/** @throws InvalidArgument for a layout of another major version */
export function checkLayoutVersion(bytes: Buffer): void {
  const layout = named("oci-layout", () => unmarshal(ociLayout, parseJson("oci-layout", bytes))) as
    | { imageLayoutVersion?: string }
    | undefined;
  const version = layout?.imageLayoutVersion;
  if (version === undefined || !version.startsWith("1."))
    throw new InvalidArgument(`unsupported OCI version "${version ?? ""}"`);
}
