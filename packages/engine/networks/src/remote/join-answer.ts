import { Unknown } from "@longshore/errdefs";
import { type Family, formatAddress, formatPrefix, masked, parseAddress, parsePrefix } from "@longshore/ip";
import type { EndpointRecord, RemoteJoin } from "../records/records.ts";
import type { EndpointInterface, JoinAnswer } from "./drivers.ts";

const mac = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;

function cidr(text: string): { address: string; bits: number; family: Family } {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Unknown(`invalid CIDR address: ${text}`);
  return { address: formatAddress(prefix), bits: prefix.bits, family: prefix.family };
}

/**
 * An endpoint with what its driver has chosen itself.
 * @throws Unknown for what cannot be read, and for another choice than the one that was made before
 */
export function withDriversChoice(endpoint: EndpointRecord, given: Partial<EndpointInterface>): EndpointRecord {
  const next: EndpointRecord = { ...endpoint, bits: { 4: endpoint.bits?.[4] ?? 0, 6: endpoint.bits?.[6] ?? 0 } };
  const addresses = [given.Address ?? "", given.AddressIPv6 ?? ""].filter((text) => text !== "").map(cidr);
  const wantedMac = given.MacAddress ?? "";
  if (wantedMac !== "" && !mac.test(wantedMac)) throw new Unknown(`address ${wantedMac}: invalid MAC address`);
  if (wantedMac !== "") {
    if (endpoint.mac !== "")
      throw new Unknown(
        `driver modified interface MAC address: endpoint interface MAC address present (${endpoint.mac}). Cannot be modified with ${wantedMac}.`,
      );
    next.mac = wantedMac.replaceAll("-", ":").toLowerCase();
  }
  for (const { address, bits, family } of addresses) {
    const field = family === 4 ? "ipv4" : "ipv6";
    if (endpoint[field] !== "") {
      throw new Unknown(
        `driver modified interface address: endpoint interface IP present (${endpoint[field]}/${endpoint.bits?.[family] ?? 0}). Cannot be modified with (${address}/${bits}).`,
      );
    }
    next[field] = address;
    next.bits = { 4: next.bits?.[4] ?? 0, 6: next.bits?.[6] ?? 0, [family]: bits };
  }
  return next;
}

function gateway(field: string, text: string | undefined): string {
  if (text === undefined || text === "") return "";
  const address = parseAddress(text);
  if (!address) throw new Unknown(`unable to parse ${field} "${text}"`);
  return formatAddress(address);
}

function route({ Destination = "", NextHop = "" }: { Destination?: string; NextHop?: string }): {
  destination: string;
  nextHop: string;
} {
  const prefix = parsePrefix(Destination);
  if (!prefix) throw new Unknown(`invalid CIDR address: ${Destination}`);
  const hop = NextHop === "" ? undefined : parseAddress(NextHop);
  if (NextHop !== "" && !hop) throw new Unknown(`failed to parse nexthop IP ${NextHop}`);
  return { destination: formatPrefix(masked(prefix)), nextHop: hop ? formatAddress(hop) : "" };
}

/** Reads what a driver answers to a join. @throws Unknown with Docker's messages */
export function readJoin(answer: JoinAnswer): RemoteJoin {
  return {
    source: answer.InterfaceName?.SrcName ?? "",
    gateways: { 4: gateway("Gateway", answer.Gateway), 6: gateway("GatewayIPv6", answer.GatewayIPv6) },
    routes: (answer.StaticRoutes ?? []).map(route),
    noGateway: answer.DisableGatewayService === true,
  };
}
