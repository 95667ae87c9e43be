/**
 * An address and port of the host that leads to a container: the one form of it in records, in the firewall's rules, in
 * what inspect and lists show and in what docker-proxy is asked.
 */
export interface PublishedPort {
  proto: "tcp" | "udp" | "sctp";
  /** `0.0.0.0` and `::` stand for any of their family. */
  hostIp: string;
  /** 0: the container's port is open without one of the host, as in routed networks. */
  hostPort: number;
  containerIp: string;
  containerPort: number;
}

/** Whether it has any address of its family. */
export function isWildcard({ hostIp }: Pick<PublishedPort, "hostIp">): boolean {
  return hostIp === "0.0.0.0" || hostIp === "::";
}

/** What is taken on the host: two ports that have it in common stand in each other's way. */
export function portKey({ proto, hostIp, hostPort }: PublishedPort): string {
  return `${proto}/${hostIp}/${hostPort}`;
}

/** Whether two lead to the same place. */
export function sameTarget(a: PublishedPort, b: PublishedPort): boolean {
  return a.containerIp === b.containerIp && a.containerPort === b.containerPort;
}
