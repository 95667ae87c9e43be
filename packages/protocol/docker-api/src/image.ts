import type { DriverData } from "./container.ts";
import type { HealthConfig, StringSet } from "./documents/container-config.ts";

export interface AuthConfig {
  username?: string;
  password?: string;
  /** base64 of `username:password`. */
  auth?: string;
  email?: string;
  serveraddress?: string;
  identitytoken?: string;
  registrytoken?: string;
}

export interface BuildCache {
  ID: string;
  Parents?: string[];
  Type: "internal" | "frontend" | "source.local" | "source.git.checkout" | "exec.cachemount" | "regular";
  Description: string;
  InUse: boolean;
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt?: string;
  UsageCount: number;
}

export interface BuildInfo {
  id: string;
  stream: string;
  error?: string;
  errorDetail: ErrorDetail;
  status: string;
  progress?: string;
  progressDetail: ProgressDetail;
  aux: ImageID;
}

export interface Commit {
  ID: string;
}

export interface CreateImageInfo {
  id: string;
  error?: string;
  errorDetail: ErrorDetail;
  status: string;
  progress?: string;
  progressDetail: ProgressDetail;
}

export interface DistributionInspect {
  Descriptor: OCIDescriptor;
  Platforms: OCIPlatform[];
}

export interface ErrorDetail {
  code: number;
  message: string;
}

/** An image's configuration as its config blob holds it; a member is absent when it is not set there. */
export interface ImageConfig {
  User?: string;
  ExposedPorts?: StringSet | null;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: StringSet | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  ArgsEscaped?: boolean;
  Healthcheck?: HealthConfig | null;
  OnBuild?: string[] | null;
  Shell?: string[] | null;
}

/** One of the two. */
export interface ImageDeleteResponseItem {
  Untagged?: string;
  Deleted?: string;
}

export interface ImageID {
  ID: string;
}

export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created?: string;
  DockerVersion: string;
  Author: string;
  Config?: ImageConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  GraphDriver?: DriverData;
  RootFS: {
    Type: string;
    Layers?: string[];
  };
  Metadata: {
    LastTagTime?: string;
  };
  Descriptor?: OCIDescriptor;
  Manifests?: ImageManifestSummary[];
}

export interface ImageManifestSummary {
  ID: string;
  Descriptor: OCIDescriptor;
  Available: boolean;
  Size: {
    Content: number;
    Total: number;
  };
  Kind: "image" | "attestation" | "unknown";
  ImageData?: {
    Platform: OCIPlatform;
    Containers: string[] | null;
    Size: {
      Unpacked: number;
    };
  };
  AttestationData?: {
    For: string;
  };
}

export interface ImageSummary {
  Containers: number;
  /** Unix seconds. */
  Created: number;
  Id: string;
  Labels: Record<string, string> | null;
  ParentId: string;
  Descriptor?: OCIDescriptor;
  Manifests?: ImageManifestSummary[];
  RepoDigests: string[];
  RepoTags: string[];
  SharedSize: number;
  Size: number;
}

/** One line of an image's history, newest first. */
export interface ImageHistoryItem {
  Comment: string;
  /** Unix seconds. */
  Created: number;
  CreatedBy: string;
  Id: string;
  Size: number;
  Tags: string[] | null;
}

export interface OCIDescriptor {
  mediaType: string;
  digest: string;
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  data?: string;
  platform?: OCIPlatform;
  artifactType?: string;
}

export interface OCIPlatform {
  architecture: string;
  os: string;
  "os.version"?: string;
  "os.features"?: string[];
  variant?: string;
}

export interface ProgressDetail {
  current: number;
  total: number;
}

export interface PushImageInfo {
  error?: string;
  errorDetail: ErrorDetail;
  status: string;
  progress?: string;
  progressDetail: ProgressDetail;
}
