import { InvalidArgument, PermissionDenied } from "@longshore/errdefs";
import type { NetworkRecord } from "./records.ts";

type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated";

/** What the options of a bridge network mean. */
export interface BridgeOptions {
  name: string;
  icc: boolean;
  masquerade: boolean;
  hostBinding: string;
  /** 0: the kernel's default. */
  mtu: number;
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
} as const;

const gatewayModes: readonly string[] = ["nat", "nat-unprotected", "routed", "isolated"] satisfies GatewayMode[];

function invalid(key: string, value: string, why: string): InvalidArgument {
  return new InvalidArgument(`failed to parse ${key} value: ${value} (${why})`);
}

function bool(options: Record<string, string>, key: string, fallback: boolean): boolean {
  const value = options[key];
  if (value === undefined) return fallback;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw invalid(key, value, `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
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
  if (!/^[+-]?\d+$/.test(mtu)) throw invalid(label.mtu, mtu, `strconv.Atoi: parsing ${JSON.stringify(mtu)}: invalid syntax`);
  if (Number(mtu) < 0) throw new InvalidArgument(`invalid MTU number: ${mtu}`);
  const gatewayMode = { 4: mode(options, label.gatewayMode4), 6: mode(options, label.gatewayMode6) };
  if (!network.internal && (gatewayMode[4] === "isolated" || gatewayMode[6] === "isolated")) {
    throw new PermissionDenied("gateway mode 'isolated' can only be used for an internal network");
  }
  return {
    name: options[label.name] ?? `br-${network.id.slice(0, 12)}`,
    icc: bool(options, label.icc, true),
    masquerade: bool(options, label.masquerade, true),
    hostBinding: options[label.hostBinding] ?? "",
    mtu: Number(mtu),
    gatewayMode,
  };
}
