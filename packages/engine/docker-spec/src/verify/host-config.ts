import { isIP } from "node:net";
import type { HostConfig, RestartPolicy } from "@longshore/docker-api";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { normalizeCapabilities } from "../security/capabilities.ts";
import type { HostFacts } from "../host/host.ts";
import { checkMount, hostPathExists } from "../mounts/validate.ts";
import { checkPortBindings } from "./ports.ts";

/** @throws InvalidArgument `invalid restart policy: …` */
function checkRestartPolicy({ Name: name, MaximumRetryCount: retries }: RestartPolicy): void {
  switch (name) {
    case "":
    case "no":
    case "always":
    case "unless-stopped":
      if (retries === 0) return;
      throw new InvalidArgument(
        `invalid restart policy: maximum retry count can only be used with 'on-failure'${retries < 0 ? " and cannot be negative" : ""}`,
      );
    case "on-failure":
      if (retries < 0) throw new InvalidArgument("invalid restart policy: maximum retry count cannot be negative");
      return;
    default:
      throw new InvalidArgument(
        `invalid restart policy: unknown policy '${String(name)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

function checkExtraHost(text: string): void {
  const at = text.indexOf(":");
  if (at <= 0) throw new InvalidArgument(`bad format for add-host: ${JSON.stringify(text)}`);
  const address = text.slice(at + 1);
  // Brackets are for clients to take off, and zones mean nothing in a container.
  if (address !== "host-gateway" && (isIP(address.trim()) === 0 || address.includes("%"))) {
    throw new InvalidArgument(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
}

function checkCapabilities(hostConfig: HostConfig, available: readonly string[]): void {
  for (const member of ["CapAdd", "CapDrop"] as const) {
    try {
      normalizeCapabilities(hostConfig[member] ?? [], available);
    } catch (error) {
      throw new InvalidArgument(`invalid ${member}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** The checks that hold on every platform. @throws InvalidArgument with the real engine's messages */
export async function checkHostConfig(hostConfig: HostConfig, host: HostFacts): Promise<void> {
  const { RestartPolicy: policy } = hostConfig;
  if (hostConfig.AutoRemove && policy.Name !== "" && policy.Name !== "no") {
    throw new InvalidArgument("can't create 'AutoRemove' container with restart policy");
  }
  for (const mount of hostConfig.Mounts ?? []) await checkMount(mount, hostPathExists);
  for (const extraHost of hostConfig.ExtraHosts ?? []) checkExtraHost(extraHost);
  await checkPortBindings(hostConfig.PortBindings);
  checkRestartPolicy(policy);
  checkCapabilities(hostConfig, host.capabilities);
  if (Object.hasOwn(hostConfig.Annotations ?? {}, "")) {
    throw new InvalidArgument("invalid Annotations: the empty string is not permitted as an annotation key");
  }
}
