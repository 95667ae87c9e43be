import type { Family } from "../ipam/prefix.ts";

/** A bridge as the rules see it, for one address family. */
export interface BridgeRules {
  device: string;
  subnet: string;
  internal: boolean;
  icc: boolean;
  masquerade: boolean;
  /** `nat-unprotected` and `routed` let others reach containers by their own addresses. */
  /** Devices that may use containers' own addresses nevertheless. */
  trusted: readonly string[];
  gatewayMode: "nat" | "nat-unprotected" | "routed" | "isolated";
}

/** `hostIp` (or any local address when undefined) and `hostPort` lead to the container. */
export interface PortRule {
  proto: "tcp" | "udp" | "sctp";
  hostIp: string | undefined;
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** A port of a container that a routed network lets in. */
export type OpenPort = Pick<PortRule, "proto" | "containerIp" | "containerPort">;

const words = {
  4: { family: "ip", address: "ipv4_addr", loopback: "127.0.0.0/8", ping: "meta l4proto icmp" },
  6: { family: "ip6", address: "ipv6_addr", loopback: "::1", ping: "meta l4proto ipv6-icmp" },
} as const;

const quote = (device: string) => `"${device}"`;

function elements(list: readonly string[]): string {
  return list.length > 0 ? ` elements = { ${list.join(", ")} };` : "";
}

/** The map a port belongs in, its element there, and that of the container itself among those who ask for the port. */
function portElement(rule: PortRule): { map: "published" | "published_at"; key: string; value: string; own: string } {
  const { proto, hostIp, hostPort, containerIp, containerPort } = rule;
  const key = `${proto} . ${hostPort}`;
  return {
    map: hostIp === undefined ? "published" : "published_at",
    key: hostIp === undefined ? key : `${hostIp} . ${key}`,
    value: `${containerIp} . ${containerPort}`,
    own: `${containerIp} . ${key}`,
  };
}

/** `nft` commands that add or delete ports in the standing table. */
export function portCommands(action: "add" | "delete", family: Family, table: string, rules: readonly PortRule[]): string[] {
  const commands = rules.flatMap((rule) => {
    const { map, key, value, own } = portElement(rule);
    const element = `${action} element ${words[family].family} ${table}`;
    return [`${element} ${map} { ${key}${action === "add" ? ` : ${value}` : ""} }`, `${element} own { ${own} }`];
  });
  return [...new Set(commands)];
}

/**
 * The whole table of one family: rules stand still and look up sets and maps, so that a published
 * port is a few elements more and each packet costs the same whatever their number. Declaring,
 * deleting and adding it in one transaction replaces it whole. A container that asks for its own published
 * port is left to the proxy: a bridge does not send a frame back to where it came from.
 */
export function renderTable(
  family: Family,
  table: string,
  { bridges, ports, open }: { bridges: readonly BridgeRules[]; ports: readonly PortRule[]; open: readonly OpenPort[] },
): string {
  const { family: keyword, address, loopback, ping } = words[family];
  const of = (accept: (bridge: BridgeRules) => boolean) => bridges.filter(accept);
  const devices = (list: readonly BridgeRules[]) => elements(list.map(({ device }) => quote(device)));
  const translating = of(({ masquerade, internal, gatewayMode }) => masquerade && !internal && gatewayMode !== "routed");
  const published = ports.map(portElement);
  const inMap = (name: string) => elements(published.filter(({ map }) => map === name).map(({ key, value }) => `${key} : ${value}`));
  const proto = "meta l4proto . th dport";
  // Only those on the bridge (and the host itself, which does not come by here) use a container's own address.
  const guards = of(({ gatewayMode }) => gatewayMode === "nat" || gatewayMode === "isolated").map(
    ({ device, subnet, trusted }) => `    ${keyword} daddr ${subnet} iifname != { ${["lo", device, ...trusted].map(quote).join(", ")} } drop`,
  );
  const routed = of(({ gatewayMode }) => gatewayMode === "routed");
  return `table ${keyword} ${table}
delete table ${keyword} ${table}
table ${keyword} ${table} {
  set bridges { type ifname;${devices(bridges)} }
  set internal { type ifname;${devices(of(({ internal }) => internal))} }
  set routed { type ifname;${devices(routed)} }
  set unprotected { type ifname;${devices(of(({ gatewayMode }) => gatewayMode === "nat-unprotected"))} }
  set within { type ifname . ifname;${elements(of(({ icc }) => icc).map(({ device }) => `${quote(device)} . ${quote(device)}`))} }
  set masqueraded { type ${address}; flags interval;${elements(translating.map(({ subnet }) => subnet))} }
  map published { type inet_proto . inet_service : ${address} . inet_service;${inMap("published")} }
  map published_at { type ${address} . inet_proto . inet_service : ${address} . inet_service;${inMap("published_at")} }
  set own { type ${address} . inet_proto . inet_service;${elements([...new Set(published.map(({ own }) => own))])} }
  set open { type ${address} . inet_proto . inet_service;${elements([...new Set(open.map(({ containerIp, proto, containerPort }) => `${containerIp} . ${proto} . ${containerPort}`))])} }
  chain publish {
    dnat ${keyword} to ${keyword} daddr . ${proto} map @published_at
    dnat ${keyword} to ${proto} map @published
  }
  chain raw-prerouting {
    type filter hook prerouting priority raw; policy accept;
${guards.join("\n")}
  }
  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${keyword} saddr . ${proto} @own return
    fib daddr type local jump publish
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    ${keyword} daddr != ${loopback} fib daddr type local jump publish
  }
  chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${keyword} saddr @masqueraded ct status dnat masquerade
    ${keyword} saddr @masqueraded oifname != @bridges masquerade
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @within accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @unprotected accept
    oifname @routed ${ping} accept
    oifname @routed ${keyword} daddr . ${proto} @open accept
    oifname @bridges drop
  }
}
`;
}

/** Removes the table, whether it is there or not. */
export function removeTable(family: Family, table: string): string {
  const { family: keyword } = words[family];
  return `table ${keyword} ${table}\ndelete table ${keyword} ${table}\n`;
}
