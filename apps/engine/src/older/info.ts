import type { Runtime, SystemInfo } from "@longshore/docker-api";
import type { Speaks } from "./speaks.ts";

/** What `/info` had in older versions, beside what it has today. */
export type VersionedInfo = Partial<SystemInfo> & { BridgeNfIptables?: false; BridgeNfIp6tables?: false };

/** `name=seccomp,profile=builtin`: the name. */
function bareName(option: string): string {
  return /(?:^|,)name=([^,]*)/.exec(option)?.[1] ?? option;
}

function withoutStatus(runtime: Runtime): Runtime {
  const shown = { ...runtime };
  delete shown.status;
  return shown;
}

type Commit = SystemInfo["RuncCommit"];

/** Docker leaves the expected commit out while it knows none. */
function withExpected(commit: Commit | undefined): Commit {
  return { ID: commit?.ID ?? "", ...(commit?.ID ? { Expected: commit.ID } : {}) };
}

/** The answer of `GET /info` as the API version of a request knows it. */
export function infoFor(speaks: Speaks, info: Partial<SystemInfo>): VersionedInfo {
  const shown: VersionedInfo = { ...info };
  if (!speaks("infoSecurityOptionValues")) shown.SecurityOptions = (info.SecurityOptions ?? []).map(bareName);
  if (!speaks("infoRuntimeStatus"))
    shown.Runtimes = Object.fromEntries(
      Object.entries(info.Runtimes ?? {}).map(([name, runtime]) => [name, withoutStatus(runtime)]),
    );
  if (!speaks("infoContainerd")) delete shown.Containerd;
  if (!speaks("infoWithoutNondistributable") && info.RegistryConfig !== undefined) {
    shown.RegistryConfig = {
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
      ...info.RegistryConfig,
    };
  }
  if (!speaks("infoFirewallBackend")) delete shown.FirewallBackend;
  if (!speaks("infoWithoutExpectedCommits")) {
    shown.ContainerdCommit = withExpected(info.ContainerdCommit);
    shown.RuncCommit = withExpected(info.RuncCommit);
    shown.InitCommit = withExpected(info.InitCommit);
  }
  if (speaks("withoutKernelMemory")) delete shown.KernelMemory;
  if (!speaks("infoWithoutBridgeNetfilter"))
    Object.assign(shown, { BridgeNfIptables: false, BridgeNfIp6tables: false });
  return shown;
}
