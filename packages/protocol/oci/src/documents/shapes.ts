import {
  type Shape,
  bool,
  command,
  duration,
  empty,
  int,
  int64,
  list,
  map,
  named,
  struct,
  text,
} from "@longshore/go-json";

/** The members that images' documents have, with the types that Go's structs of them name. */
const platform = struct("v1.Platform", {
  architecture: text,
  os: text,
  "os.version": text,
  "os.features": list(text),
  variant: text,
});

export const descriptor = struct("v1.Descriptor", {
  mediaType: text,
  digest: named("digest.Digest"),
  size: int64,
  urls: list(text),
  annotations: map(text),
  data: named("[]uint8"),
  platform,
  artifactType: text,
});

export const index = struct("v1.Index", {
  schemaVersion: int,
  mediaType: text,
  artifactType: text,
  manifests: list(descriptor),
  subject: descriptor,
  annotations: map(text),
});

export const manifest = struct("v1.Manifest", {
  schemaVersion: int,
  mediaType: text,
  artifactType: text,
  config: descriptor,
  layers: list(descriptor),
  subject: descriptor,
  annotations: map(text),
});

const health = struct("container.HealthConfig", {
  Test: list(text),
  Interval: duration,
  Timeout: duration,
  StartPeriod: duration,
  StartInterval: duration,
  Retries: int,
});

/** What Docker reads of an image's `config`. */
const config = struct("container.Config", {
  User: text,
  ExposedPorts: map(empty),
  Env: list(text),
  Cmd: command,
  Healthcheck: health,
  ArgsEscaped: bool,
  Volumes: map(empty),
  WorkingDir: text,
  Entrypoint: command,
  OnBuild: list(text),
  Labels: map(text),
  StopSignal: text,
  StopTimeout: int,
  Shell: command,
});

const history = struct("v1.History", {
  created: text,
  created_by: text,
  author: text,
  comment: text,
  empty_layer: bool,
});

export const image: Shape = struct("image.Image", {
  created: text,
  author: text,
  architecture: text,
  os: text,
  variant: text,
  "os.version": text,
  "os.features": list(text),
  config,
  rootfs: struct("image.RootFS", { type: text, diff_ids: list(named("layer.DiffID")) }),
  history: list(history),
});
