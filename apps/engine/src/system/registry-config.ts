import type { IndexInfo, RegistryServiceConfig } from "@longshore/docker-api";
import { insecureHost, isNetwork, parseMirror } from "@longshore/remotes";
import type { Config } from "../config/config.ts";

/** What `/info` tells of registries: the insecure ones by host or network, and the mirrors as URLs that end in a slash. */
export function registryConfig({
  registryMirrors,
  insecureRegistries,
}: Pick<Config, "registryMirrors" | "insecureRegistries">): RegistryServiceConfig {
  const mirrors = registryMirrors.map((mirror) => parseMirror(mirror).href.replace(/\/*$/, "/"));
  const networks = insecureRegistries.filter(isNetwork);
  const indexes: Record<string, IndexInfo> = {};
  for (const entry of insecureRegistries) {
    const Name = insecureHost(entry);
    if (!isNetwork(entry)) indexes[Name] = { Mirrors: [], Name, Official: false, Secure: false };
  }
  indexes["docker.io"] = { Mirrors: mirrors, Name: "docker.io", Official: true, Secure: true };
  return {
    IndexConfigs: indexes,
    InsecureRegistryCIDRs: [...networks, "::1/128", "127.0.0.0/8"],
    Mirrors: mirrors.length === 0 ? (null as never) : mirrors,
  };
}
