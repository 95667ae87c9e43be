import type { ServiceImplementation } from "@longshore/grpc";
import type { Version } from "@longshore/proto/containerd/services/version/v1/version";

export interface VersionDeps {
  /** Semantic, with a leading `v`. */
  version: string;
  /** Commit of the source, or "" when unknown. */
  revision: string;
}

export function versionService(deps: VersionDeps): ServiceImplementation<typeof Version> {
  return { version: () => ({ version: deps.version, revision: deps.revision }) };
}
