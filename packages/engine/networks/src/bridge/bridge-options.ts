import { InvalidArgument, PermissionDenied, Unknown, messageOf } from "@longshore/errdefs";
import { parseBool, parseInteger } from "@longshore/go-values";
import { canonicalAddress, parseAddress } from "@longshore/ip";
import type { NetworkRecord } from "../records/records.ts";

type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated";

/** What the options of a bridge network mean. */
export interface BridgeOptions {
  name: string;
  icc: boolean;
  masquerade: boolean;
  hostBinding: string;
  /** 0: the kernel's default. */
  mtu: number;
  /** The bridge has no IPv4 address: somebody else is the gateway. */
  inhibitIPv4: boolean;
  /** What containers' links are called, a number follows. */
  ifacePrefix: string;
  /** Devices of the host from which containers may be reached by their own addresses. */
  trusted: string[];
  gatewayMode: { 4: GatewayMode; 6: GatewayMode };
}

export const label = {
  name: "com.docker.network.bridge.name",
  defaultBridge: "com.docker.network.bridge.default_bridge",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  hostBinding: "com.docker.network.bridge.host_binding_ipv4",
  gatewayMode4: "com.docker.network.bridge.gateway_mode_ipv4",
  gatewayMode6: "com.docker.network.bridge.gateway_mode_ipv6",
  mtu: "com.docker.network.driver.mtu",
  inhibitIPv4: "com.docker.network.bridge.inhibit_ipv4",
  ifacePrefix: "com.docker.network.container_iface_prefix",
  trusted: "com.docker.network.bridge.trusted_host_interfaces",
} as const;

const gatewayModes: readonly string[] = ["nat", "nat-unprotected", "routed", "isolated"] satisfies GatewayMode[];

function invalid(key: string, value: string, why: string): InvalidArgument {
  return new InvalidArgument(`failed to parse ${key} value: ${value} (${why})`);
}

function read<T>(key: string, value: string, parse: (value: string) => T): T {
  try {
    return parse(value);
  } catch (error) {
    throw invalid(key, value, messageOf(error));
  }
}

function bool(options: Record<string, string>, key: string, fallback: boolean): boolean {
  const value = options[key];
  if (value === undefined) return fallback;
  return read(key, value, parseBool);
}

function mode(options: Record<string, string>, key: string): GatewayMode {
  const value = options[key] ?? "nat";
  if (!gatewayModes.includes(value)) throw invalid(key, value, `unknown gateway mode ${value}`);
  return value as GatewayMode;
}

/**
 * Reads the driver options of a bridge network by Docker's names; unknown ones are kept but mean nothing.
 * @throws InvalidArgument `failed to parse KEY value: …`
 */
export function parseBridgeOptions(network: Pick<NetworkRecord, "id" | "options" | "internal">): BridgeOptions {
  const { options } = network;
  const mtu = options[label.mtu] ?? "0";
  read(label.mtu, mtu, (text) => parseInteger(text, "Atoi"));
  if (Number(mtu) < 0) throw new InvalidArgument(`invalid MTU number: ${mtu}`);
  // What a bridge device takes.
  if (Number(mtu) !== 0 && (Number(mtu) < 68 || Number(mtu) > 65_535)) throw new Unknown("invalid argument");
  const hostBinding = options[label.hostBinding] ?? "";
  if (hostBinding !== "" && !parseAddress(hostBinding)) throw invalid(label.hostBinding, hostBinding, "nil ip");
  const gatewayMode = { 4: mode(options, label.gatewayMode4), 6: mode(options, label.gatewayMode6) };
  if (!network.internal && (gatewayMode[4] === "isolated" || gatewayMode[6] === "isolated")) {
    throw new PermissionDenied("gateway mode 'isolated' can only be used for an internal network");
  }
  return {
    name: options[label.name] || `br-${network.id.slice(0, 12)}`,
    icc: bool(options, label.icc, true),
    masquerade: bool(options, label.masquerade, true),
    hostBinding: canonicalAddress(hostBinding),
    inhibitIPv4: bool(options, label.inhibitIPv4, false),
    ifacePrefix: options[label.ifacePrefix] || "eth",
    trusted: (options[label.trusted] ?? "").split(":").filter((device) => device !== ""),
    mtu: Number(mtu),
    gatewayMode,
  };
}
