import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { InvalidArgument } from "@longshore/errdefs";
import { parse } from "smol-toml";
import {
  type Capability,
  type RegistryHost,
  type RegistryHosts,
  type TlsOptions,
  allCapabilities,
  apiHostOf,
  isLoopback,
} from "./host.ts";
import { readCertificates } from "./tls-dir.ts";

/** One `[host."…"]` table, or the top of the file for the server itself. */
interface HostTable {
  capabilities?: unknown;
  ca?: unknown;
  client?: unknown;
  skip_verify?: unknown;
  override_path?: unknown;
  header?: unknown;
  longshore_proxies?: unknown;
}

function strings(value: unknown, what: string): string[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((entry) => typeof entry === "string"))
    throw new InvalidArgument(`invalid ${what}: must be a string or a list of strings`);
  return list;
}

async function pemOf(dir: string, path: string): Promise<string> {
  return readFile(isAbsolute(path) ? path : join(dir, path), "utf8");
}

async function tlsOf(table: HostTable, dir: string): Promise<TlsOptions> {
  const ca = await Promise.all(strings(table.ca, "ca").map((path) => pemOf(dir, path)));
  const client = table.client === undefined ? [] : Array.isArray(table.client) ? table.client : [table.client];
  const certificates = await Promise.all(
    client.map(async (entry: unknown) => {
      const [cert = "", key = cert] = strings(entry, "client");
      return { cert: await pemOf(dir, cert), key: await pemOf(dir, key === "" ? cert : key) };
    }),
  );
  return {
    ...(ca.length === 0 ? {} : { ca }),
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(table.skip_verify === true ? { skipVerify: true } : {}),
  };
}

function capabilitiesOf(value: unknown): readonly Capability[] {
  const names = strings(value, "capabilities");
  for (const name of names) {
    if (!allCapabilities.includes(name as Capability)) throw new InvalidArgument(`unknown capability ${name}`);
  }
  return names.length === 0 ? allCapabilities : (names as Capability[]);
}

function headersOf(value: unknown): Record<string, string[]> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) throw new InvalidArgument("invalid header: must be a table");
  return Object.fromEntries(Object.entries(value).map(([name, values]) => [name, strings(values, `header ${name}`)]));
}

function proxiesOf(value: unknown): Pick<RegistryHost, "proxies"> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null)
    throw new InvalidArgument("invalid longshore_proxies: must be a table");
  const of = (name: string): string =>
    strings((value as Record<string, unknown>)[name], `longshore_proxies.${name}`).join(",");
  return { proxies: { http: of("http"), https: of("https"), no: of("no") } };
}

async function hostOf(server: string, table: HostTable, dir: string, domain: string): Promise<RegistryHost> {
  const withScheme = /^https?:\/\//.test(server)
    ? server
    : `${isLoopback(server.split("/", 1)[0] ?? "") ? "http" : "https"}://${server}`;
  if (/^[a-z]+:\/\//.test(server) && withScheme !== server)
    throw new InvalidArgument(`unsupported scheme in registry host ${server}`);
  if (!URL.canParse(withScheme)) throw new InvalidArgument(`unable to parse host ${server}`);
  const url = new URL(withScheme);
  const base = url.pathname.replace(/\/+$/, "");
  const path = table.override_path === true ? base : base.endsWith("/v2") ? base : `${base}/v2`;
  return {
    scheme: url.protocol === "http:" ? "http" : "https",
    host: url.host,
    path,
    capabilities: capabilitiesOf(table.capabilities),
    tls: await tlsOf(table, dir),
    headers: headersOf(table.header),
    ...proxiesOf(table.longshore_proxies),
    ...(url.host === apiHostOf(domain) ? {} : { namespace: domain }),
  };
}

/**
 * Reads containerd's `hosts.toml` for a registry: its `[host]` tables in the order of the file, then its `server`.
 * @throws InvalidArgument when the file is not right
 */
export async function readHostsToml(path: string, domain: string): Promise<RegistryHost[]> {
  const text = await readFile(path, "utf8");
  let file: HostTable & { server?: unknown; host?: unknown };
  try {
    file = parse(text);
  } catch (error) {
    throw new InvalidArgument(`failed to parse hosts file ${path}: ${(error as Error).message}`, { cause: error });
  }
  const dir = dirname(path);
  const tables = Object.entries((file.host ?? {}) as Record<string, HostTable>);
  const hosts = await Promise.all(tables.map(([server, table]) => hostOf(server, table, dir, domain)));
  const server = typeof file.server === "string" && file.server !== "" ? file.server : `https://${apiHostOf(domain)}`;
  return [...hosts, await hostOf(server, file, dir, domain)];
}

/** Names of a registry's folder, the particular ones first; a colon may be written `_port_`. */
function folderNames(domain: string): string[] {
  const match = /^(.*):(\d+)$/.exec(domain);
  return match === null ? [domain, "_default"] : [domain, `${match[1]}_${match[2]}_`, match[1] ?? "", "_default"];
}

/** Hosts from containerd's `certs.d` folders; a registry without a folder is left to `otherwise`. */
export function hostsDirHosts(dirs: readonly string[], otherwise: RegistryHosts): RegistryHosts {
  return async (domain) => {
    for (const dir of dirs) {
      for (const name of folderNames(domain)) {
        const folder = join(dir, name);
        try {
          return await readHostsToml(join(folder, "hosts.toml"), domain);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
        const tls = await readCertificates(folder);
        if (tls.ca !== undefined || tls.certificates !== undefined) {
          return [{ scheme: "https", host: apiHostOf(domain), path: "/v2", capabilities: allCapabilities, tls }];
        }
      }
    }
    return otherwise(domain);
  };
}
