import { InvalidArgument } from "@longshore/errdefs";

/** What a `-H` value names. */
export type Address =
  | { scheme: "unix"; path: string }
  | { scheme: "tcp"; host: string; port: number }
  /** Sockets that a service manager has opened: all of them, or the one with this name or descriptor. */
  | { scheme: "fd"; name: string };

const defaultSocket = "/var/run/docker.sock";

/** Docker's ports: with TLS and without. */
const ports = { tls: 2376, plain: 2375 };

/**
 * Reads a `-H` value; without a scheme it is a TCP address.
 * @param tls whether TCP addresses without a port get the port of TLS
 * @throws InvalidArgument with dockerd's text
 */
export function parseAddress(value: string, tls = false): Address {
  const refuse = (reason: string): never => {
    throw new InvalidArgument(`invalid bind address (${value}): ${reason}`);
  };
  const text = value.trim();
  const [, scheme = "tcp", rest = text] = /^([^:/]*):\/\/(.*)$/s.exec(text) ?? [];
  if (text === "") return { scheme: "unix", path: defaultSocket };
  if (scheme === "unix") return { scheme, path: rest || defaultSocket };
  if (scheme === "fd") return { scheme, name: rest };
  if (scheme !== "tcp") return refuse(`unsupported proto '${scheme}'`);
  if (rest.includes("/")) return refuse("should not contain a path element");
  const [, host = "", given] =
    /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(rest) ?? refuse("unsupported or malformed address");
  if (given !== undefined && !/^\d*$/.test(given)) refuse(`parse "tcp://${rest}": invalid port ":${given}" after host`);
  const port = given === undefined || given === "" ? ports[tls ? "tls" : "plain"] : Number(given);
  return { scheme: "tcp", host: host.replace(/^\[|\]$/g, "") || "localhost", port };
}

/** Host and port as one writes them in a URL. */
export function hostAndPort({ host, port }: { host: string; port: number }): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
