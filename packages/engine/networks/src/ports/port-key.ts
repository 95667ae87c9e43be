import { InvalidArgument } from "@longshore/errdefs";

type Proto = "tcp" | "udp" | "sctp";

/** A port of a container, as `ExposedPorts` and `PortBindings` name it. */
export interface ContainerPort {
  /** `80/tcp`: the one spelling. */
  key: string;
  port: number;
  proto: Proto;
}

/** Reads `80`, `80/tcp` or `80/TCP`. @throws InvalidArgument `invalid port specification: "x"`, `unknown protocol` */
export function parsePortKey(text: string): ContainerPort {
  const [number = "", given = "", ...rest] = text.split("/");
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65_535 || rest.length > 0)
    throw new InvalidArgument(`invalid port specification: "${text}"`);
  const proto = given === "" ? "tcp" : given.toLowerCase();
  if (proto !== "tcp" && proto !== "udp" && proto !== "sctp") throw new InvalidArgument(`unknown protocol`);
  return { key: `${Number(number)}/${proto}`, port: Number(number), proto };
}

/** The one spelling of a port's key; what names no port stays as it is. */
export function canonicalPortKey(text: string): string {
  try {
    return parsePortKey(text).key;
  } catch {
    return text;
  }
}
