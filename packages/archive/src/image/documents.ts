import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { Descriptor } from "@longshore/oci";

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

/** @throws InvalidArgument naming the document */
export function parseJson(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new InvalidArgument(`${name}: ${messageOf(error)}`, { cause: error });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";

/** @throws InvalidArgument */
export function parseDockerManifests(bytes: Buffer): DockerManifest[] {
  const value = parseJson("manifest.json", bytes);
  const isManifest = (item: unknown): item is DockerManifest => {
    if (!isObject(item) || !isText(item["Config"])) return false;
    const [tags, layers] = [item["RepoTags"] ?? [], item["Layers"] ?? []];
    return Array.isArray(tags) && tags.every(isText) && Array.isArray(layers) && layers.every(isText);
  };
  if (!Array.isArray(value) || !value.every(isManifest)) throw new InvalidArgument("manifest.json: not a list of images");
  return value.map(({ Config, RepoTags, Layers }) => ({ Config, RepoTags: RepoTags ?? [], Layers: Layers ?? [] }));
}

/** @throws InvalidArgument */
export function parseIndexManifests(bytes: Buffer): Descriptor[] {
  const value = parseJson("index.json", bytes);
  const isDescriptor = (item: unknown): item is Descriptor => isObject(item) && isText(item["mediaType"]) && isText(item["digest"]) && typeof item["size"] === "number";
  const manifests = isObject(value) ? (value["manifests"] ?? []) : undefined;
  if (!Array.isArray(manifests) || !manifests.every(isDescriptor)) throw new InvalidArgument("index.json: not an image index");
  return manifests;
}

/** @throws InvalidArgument for a layout of another major version */
export function checkLayoutVersion(bytes: Buffer): void {
  const value = parseJson("oci-layout", bytes);
  const version = isObject(value) ? value["imageLayoutVersion"] : undefined;
  if (!isText(version) || !version.startsWith("1.")) throw new InvalidArgument(`unsupported OCI version "${String(version ?? "")}"`);
}
