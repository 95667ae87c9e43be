import type { Family } from "@longshore/ip";
import { isWildcard, type PublishedPort } from "@longshore/proxy-api";

/** A bridge as the rules see it, for one address family. */
export interface BridgeRules {
  device: string;
  subnet: string;
  internal: boolean;
  icc: boolean;
  masquerade: boolean;
  /** Devices that may use containers' own addresses nevertheless. */
  trusted: readonly string[];
  /** `nat-unprotected` and `routed` let others reach containers by their own addresses. */
  gatewayMode: "nat" | "nat-unprotected" | "routed" | "isolated";
}

/** What holds for all bridges. */
export interface TableOptions {
  /** Whether a proxy serves the host's loopback address and the ports that containers publish themselves. */
  userlandProxy: boolean;
  /** Whether others may ask for published ports by the container's own address. */
  allowDirectRouting: boolean;
}

/** Exposed ports of a container that another one is linked to. */
export type LinkRule = Pick<PublishedPort, "proto" | "containerIp" | "containerPort"> & { from: string };

const words = {
  4: { family: "ip", address: "ipv4_addr", loopback: "127.0.0.0/8", ping: "meta l4proto icmp" },
  6: { family: "ip6", address: "ipv6_addr", loopback: "::1", ping: "meta l4proto ipv6-icmp" },
} as const;

const quote = (device: string) => `"${device}"`;

function elements(list: readonly string[]): string {
  return list.length > 0 ? ` elements = { ${list.join(", ")} };` : "";
}

interface Element {
  set: "published" | "published_at" | "own" | "own_udp" | "any_udp" | "self" | "loopback" | "open";
  key: string;
  value?: string;
}

function isLoopback(hostIp: string): boolean {
  return hostIp.startsWith("127.") || hostIp === "::1";
}

/** What a port is in sets and maps. */
function portElements(
  { proto, hostIp, hostPort, containerIp, containerPort }: PublishedPort,
  { userlandProxy }: TableOptions,
): Element[] {
  const open: Element = { set: "open", key: `${containerIp} . ${proto} . ${containerPort}` };
  if (hostPort === 0) return [open];
  const port = `${proto} . ${hostPort}`;
  const value = `${containerIp} . ${containerPort}`;
  const at: Element = isWildcard({ hostIp })
    ? { set: "published", key: port, value }
    : { set: "published_at", key: `${hostIp} . ${port}`, value };
  const guard: Element[] =
    isLoopback(hostIp) && !hostIp.includes(":") ? [{ set: "loopback", key: `${hostIp} . ${port}` }] : [];
  if (!userlandProxy)
    return [open, ...(hostIp === "::1" ? [] : [at]), ...guard, { set: "self", key: `${containerIp} . ${containerIp}` }];
  if (isLoopback(hostIp)) return [open, ...guard];
  const own: Element[] =
    proto === "udp" && isWildcard({ hostIp })
      ? [
          { set: "own_udp", key: `${containerIp} . ${hostPort}` },
          { set: "any_udp", key: String(hostPort) },
        ]
      : [];
  return [open, at, { set: "own", key: `${containerIp} . ${port}` }, ...own];
}

/** `nft` commands that add or delete ports in the standing table. */
export function portCommands(
  action: "add" | "delete",
  family: Family,
  table: string,
  rules: readonly PublishedPort[],
  options: TableOptions,
): string[] {
  const commands = rules.flatMap((rule) =>
    portElements(rule, options).map(
      ({ set, key, value }) =>
        `${action} element ${words[family].family} ${table} ${set} { ${key}${action === "add" && value !== undefined ? ` : ${value}` : ""} }`,
    ),
  );
  return [...new Set(commands)];
}

/** Containers' own addresses are for those on their bridge and the host itself, which does not come by here. The bridges' addresses are the host's. */
function guards(bridges: readonly BridgeRules[], keyword: string, { allowDirectRouting }: TableOptions): string[] {
  if (allowDirectRouting) return [];
  return bridges
    .filter(({ gatewayMode }) => gatewayMode === "nat")
    .map(
      ({ device, subnet, trusted }) =>
        `    ${keyword} daddr ${subnet} iifname != { ${["lo", device, ...trusted].map(quote).join(", ")} } fib daddr type != local drop`,
    );
}

/** Where packets for published ports are led to containers: a proxy answers those that would come back to where they are from. */
function translation(family: Family, { userlandProxy }: TableOptions): string {
  const { family: keyword, loopback } = words[family];
  const proto = "meta l4proto . th dport";
  // A datagram's answer comes from the address that leads to who asked, so that address has to be the one that was asked.
  const toProxy = `
    iifname @separate udp dport @any_udp fib daddr type local redirect
    iifname @separate return
    ${keyword} saddr . udp dport @own_udp fib daddr type local redirect
    ${keyword} saddr . ${proto} @own return`;
  return `  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;${userlandProxy ? toProxy : ""}
    fib daddr type local jump publish
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    ${userlandProxy || family === 6 ? `${keyword} daddr != ${loopback} ` : ""}fib daddr type local jump publish
  }`;
}

/** As whom packets leave; without a proxy also what the host or a container asks of itself. */
function masquerading(family: Family, translating: readonly BridgeRules[], { userlandProxy }: TableOptions): string {
  const { family: keyword } = words[family];
  const back = userlandProxy
    ? `    ${keyword} saddr @masqueraded ct status dnat masquerade`
    : `    ${keyword} saddr . ${keyword} daddr @self masquerade
    oifname @bridges fib saddr type local masquerade`;
  const out = translating.map(
    ({ device, subnet }) => `    ${keyword} saddr ${subnet} oifname != ${quote(device)} masquerade`,
  );
  return [back, ...out].join("\n");
}

/**
 * The whole table of one family: rules stand still and look up sets and maps, so that a published
 * port is a few elements more and each packet costs the same whatever their number. Declaring,
 * deleting and adding it in one transaction replaces it whole.
 */
export function renderTable(
  family: Family,
  table: string,
  {
    bridges,
    ports,
    links,
  }: { bridges: readonly BridgeRules[]; ports: readonly PublishedPort[]; links: readonly LinkRule[] },
  options: TableOptions,
): string {
  const { family: keyword, address, ping } = words[family];
  const of = (accept: (bridge: BridgeRules) => boolean) => bridges.filter(accept);
  const devices = (list: readonly BridgeRules[]) => elements(list.map(({ device }) => quote(device)));
  const pairs = (list: readonly BridgeRules[]) =>
    elements(list.map(({ device }) => `${quote(device)} . ${quote(device)}`));
  const translating = of(
    ({ masquerade, internal, gatewayMode }) => masquerade && !internal && gatewayMode !== "routed",
  );
  const published = ports.flatMap((port) => portElements(port, options));
  const inSet = (name: Element["set"]) =>
    elements([
      ...new Set(
        published
          .filter(({ set }) => set === name)
          .map(({ key, value }) => (value === undefined ? key : `${key} : ${value}`)),
      ),
    ]);
  const linked = links.map(
    ({ from, containerIp, proto, containerPort }) => `${from} . ${containerIp} . ${proto} . ${containerPort}`,
  );
  const proto = "meta l4proto . th dport";
  return `table ${keyword} ${table}
delete table ${keyword} ${table}
table ${keyword} ${table} {
  set bridges { type ifname;${devices(bridges)} }
  set internal { type ifname;${devices(of(({ internal }) => internal))} }
  set routed { type ifname;${devices(of(({ gatewayMode }) => gatewayMode === "routed"))} }
  set unprotected { type ifname;${devices(of(({ gatewayMode }) => gatewayMode === "nat-unprotected"))} }
  set separate { type ifname;${devices(of(({ icc }) => !icc))} }
  set within { type ifname . ifname;${pairs(of(({ icc }) => icc))} }
  set apart { type ifname . ifname;${pairs(of(({ icc }) => !icc))} }
  set masqueraded { type ${address}; flags interval;${elements(translating.map(({ subnet }) => subnet))} }
  map published { type inet_proto . inet_service : ${address} . inet_service;${inSet("published")} }
  map published_at { type ${address} . inet_proto . inet_service : ${address} . inet_service;${inSet("published_at")} }
  set own { type ${address} . inet_proto . inet_service;${inSet("own")} }
  set own_udp { type ${address} . inet_service;${inSet("own_udp")} }
  set any_udp { type inet_service;${inSet("any_udp")} }
  set self { type ${address} . ${address};${inSet("self")} }
  set loopback { type ${address} . inet_proto . inet_service;${inSet("loopback")} }
  set open { type ${address} . inet_proto . inet_service;${inSet("open")} }
  set links { type ${address} . ${address} . inet_proto . inet_service;${elements([...new Set(linked)])} }
  chain publish {
    dnat ${keyword} to ${keyword} daddr . ${proto} map @published_at
    dnat ${keyword} to ${proto} map @published
  }
  chain raw-prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ${keyword} daddr . ${proto} @loopback drop
${guards(bridges, keyword, options).join("\n")}
  }
${translation(family, options)}
  chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${masquerading(family, translating, options)}
  }
  chain filter-forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @within accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct state established,related accept
    ${options.userlandProxy ? "" : "iifname != @bridges "}oifname @bridges ct status dnat accept
    iifname . oifname @apart ${keyword} saddr . ${keyword} daddr . ${proto} @links accept
    iifname . oifname @apart drop
    oifname @routed ${ping} accept
    oifname @routed ${keyword} daddr . ${proto} @open accept
    oifname @bridges iifname @bridges drop
    oifname @unprotected accept
    oifname @bridges ${keyword} daddr . ${proto} @open accept
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
