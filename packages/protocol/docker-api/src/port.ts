import { InvalidArgument } from "@longshore/errdefs";

/** A port of a container: what `ExposedPorts` and `PortBindings` name as `80/tcp`. */
export interface ContainerPort {
  proto: "tcp" | "udp" | "sctp";
  containerPort: number;
}

/** Reads `80`, `80/tcp` or `80/TCP`. @throws InvalidArgument `invalid port specification: "x"`, `unknown protocol` */
export function parsePort(text: string): ContainerPort {
  const [number = "", given = "", ...rest] = text.split("/");
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65_535 || rest.length > 0)
    throw new InvalidArgument(`invalid port specification: "${text}"`);
  const proto = given === "" ? "tcp" : given.toLowerCase();
  if (proto !== "tcp" && proto !== "udp" && proto !== "sctp") throw new InvalidArgument(`unknown protocol`);
  return { proto, containerPort: Number(number) };
}

/** The ports that texts name; what names none, as a record that somebody wrote may, is left out. */
export function readPorts(texts: Iterable<string>): ContainerPort[] {
  return [...texts].flatMap((text) => {
    try {
      return [parsePort(text)];
    } catch {
      return [];
    }
  });
}

/** `80/tcp`: the one spelling. */
export function formatPort({ proto, containerPort }: ContainerPort): string {
  return `${containerPort}/${proto}`;
}

/** The one spelling of what names a port; what names none stays as it is. */
export function canonicalPort(text: string): string {
  const [port] = readPorts([text]);
  return port === undefined ? text : formatPort(port);
}
