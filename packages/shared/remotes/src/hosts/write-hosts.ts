import { join } from "node:path";
import { makeDir, writeFileAtomic } from "@longshore/atomicfile";
import { stringify } from "smol-toml";
import type { RegistryHost } from "./host.ts";

type Table = Record<string, unknown>;

/** A registry's folder as containerd reads it: `hosts.toml` and the PEM files that it names. */
interface Folder {
  readonly toml: string;
  readonly files: ReadonlyMap<string, string>;
}

function tableOf(host: RegistryHost, files: Map<string, string>): Table {
  const store = (text: string, end: string): string => {
    const name = `${files.size}.${end}`;
    files.set(name, text);
    return name;
  };
  const { ca = [], certificates = [], skipVerify } = host.tls ?? {};
  return {
    capabilities: [...host.capabilities],
    // `/v2` is what a reader adds by itself.
    ...(host.path.endsWith("/v2") ? {} : { override_path: true }),
    ...(ca.length === 0 ? {} : { ca: ca.map((pem) => store(pem, "pem")) }),
    ...(certificates.length === 0
      ? {}
      : { client: certificates.map(({ cert, key }) => [store(cert, "pem"), store(key, "key")]) }),
    ...(skipVerify === true ? { skip_verify: true } : {}),
    // Of this project alone; others pass it over.
    ...(host.proxies === undefined ? {} : { longshore_proxies: { ...host.proxies } }),
    ...(host.headers === undefined
      ? {}
      : { header: Object.fromEntries(Object.entries(host.headers).map(([name, values]) => [name, [...values]])) }),
  };
}

function folderOf(hosts: readonly RegistryHost[]): Folder {
  const files = new Map<string, string>();
  const plain = hosts.flatMap((host) =>
    host.plainFallback === true ? [host, { ...host, scheme: "http" as const, tls: {} }] : [host],
  );
  const url = (host: RegistryHost): string => `${host.scheme}://${host.host}${host.path.replace(/\/v2$/, "")}`;
  const server = plain.at(-1);
  if (server === undefined) return { toml: "", files };
  const top = { server: url(server), ...tableOf(server, files) };
  const others = plain.slice(0, -1).map((host): [string, Table] => [url(host), tableOf(host, files)]);
  return { toml: stringify({ ...top, host: Object.fromEntries(others) }), files };
}

/**
 * Writes where a registry is to be found as a folder `<dir>/<domain>` in containerd's `certs.d` form,
 * so that a containerd can be told of it by `host_dir`.
 */
export async function writeHostsDir(dir: string, domain: string, hosts: readonly RegistryHost[]): Promise<void> {
  const folder = join(dir, domain);
  await makeDir(folder, 0o700);
  const { toml, files } = folderOf(hosts);
  for (const [name, text] of files) await writeFileAtomic(join(folder, name), text);
  // Last, since it names the others.
  await writeFileAtomic(join(folder, "hosts.toml"), toml);
}
