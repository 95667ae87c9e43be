import type { DriverData, HealthConfig } from "./container.ts";

export interface AuthConfig {
  username: string;
  password: string;
  email: string;
  serveraddress: string;
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

export interface ImageConfig {
  User: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env: string[];
  Cmd: string[];
  Healthcheck: HealthConfig;
  ArgsEscaped?: boolean;
  Volumes: Record<string, Record<string, never>>;
  WorkingDir: string;
  Entrypoint: string[];
  OnBuild?: string[];
  Labels: Record<string, string>;
  StopSignal?: string;
  Shell?: string[];
}

export interface ImageDeleteResponseItem {
  Untagged: string;
  Deleted: string;
}

export interface ImageID {
  ID: string;
}

export interface ImageInspect {
  Id: string;
  Descriptor: OCIDescriptor;
  Manifests?: ImageManifestSummary[];
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created?: string;
  DockerVersion: string;
  Author: string;
  Config: ImageConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  GraphDriver: DriverData;
  RootFS: {
    Type: string;
    Layers: string[];
  };
  Metadata: {
    LastTagTime?: string;
  };
}

export interface ImageManifestSummary {
  ID: string;
  Descriptor: OCIDescriptor;
  Available: boolean;
  Size: {
    Total: number;
    Content: number;
  };
  Kind: "image" | "attestation" | "unknown";
  ImageData?: {
    Platform: OCIPlatform;
    Containers: string[];
    Size: {
      Unpacked: number;
    };
  };
  AttestationData?: {
    For: string;
  };
}

export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  Created: number;
  Size: number;
  SharedSize: number;
  Labels: Record<string, string>;
  Containers: number;
  Manifests: ImageManifestSummary[];
  Descriptor: OCIDescriptor;
}

export interface OCIDescriptor {
  mediaType: string;
  digest: string;
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  data?: string;
  platform: OCIPlatform;
  artifactType?: string;
}

export interface OCIPlatform {
  architecture: string;
  os: string;
  "os.version": string;
  "os.features": string[];
  variant: string;
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
