import type { ContainerConfig, EndpointSettings, HostConfigRequest } from "@longshore/docker-api";
import type { Platform } from "@longshore/oci";

export interface CreateRequest {
  /** Empty: one is made up. */
  name: string;
  platform: Platform | undefined;
  config: Partial<ContainerConfig> | undefined;
  hostConfig: HostConfigRequest;
  endpoints: Record<string, Partial<EndpointSettings> | null>;
  /** Read-only binds leave what is mounted below them as it is: so older clients expect it. */
  readOnlyNonRecursive?: boolean;
}
