/** The address at which containers of user-defined networks find the embedded DNS server. */
export const embeddedDns = "127.0.0.11";

/** A container in a network, as DNS knows it. */
export interface DnsMember {
  containerId: string;
  /** The first one answers reverse queries. None: it can neither be found nor ask here, as in the default bridge. */
  names: string[];
  addresses: string[];
  /** What this member alone calls others: alias to name. */
  links?: Record<string, string>;
  /** Among the member's networks, the one with the most is asked first. */
  priority?: number;
}

/** A network of containers that have the embedded DNS. */
export interface DnsNetwork {
  id: string;
  name: string;
  /** Nothing outside can be asked from here. */
  internal: boolean;
  members: DnsMember[];
}

/** A container that is served. */
export interface DnsSandbox {
  containerId: string;
  netnsPath: string;
  servers: string[];
  /** The servers are the host's own and are asked from there. */
  onHost: boolean;
  /** Names without dots are not asked for outside. */
  ndotsSet?: boolean;
  /** How long each server has to answer, in milliseconds. */
  timeoutMs?: number;
}

/** Where the server listens in the container's namespace. */
export interface DnsPorts {
  udp: number;
  tcp: number;
}
