import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidArgument } from "@longshore/errdefs";
import type { TlsOptions } from "./host.ts";

async function list(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR")
      return [];
    throw error;
  }
}

/** Reads `*.crt` as authorities and `*.cert` with its `*.key` as client certificates, as dockerd does. */
export async function readCertificates(dir: string): Promise<TlsOptions> {
  const names = await list(dir);
  const read = (name: string): Promise<string> => readFile(join(dir, name), "utf8");
  const clients = names
    .filter((name) => name.endsWith(".cert"))
    .map((cert) => ({ cert, key: `${cert.slice(0, -".cert".length)}.key` }));
  for (const { cert, key } of clients) {
    if (!names.includes(key)) {
      throw new InvalidArgument(
        `missing key ${key} for client certificate ${cert}. CA certificates must use the extension .crt`,
      );
    }
  }
  const ca = await Promise.all(names.filter((name) => name.endsWith(".crt")).map(read));
  const certificates = await Promise.all(
    clients.map(async ({ cert, key }) => ({ cert: await read(cert), key: await read(key) })),
  );
  return { ...(ca.length === 0 ? {} : { ca }), ...(certificates.length === 0 ? {} : { certificates }) };
}

/** The TLS material of `<dir>/<host>` in the first of `dirs` that has some. */
export async function readTlsDir(dirs: readonly string[], host: string): Promise<TlsOptions> {
  for (const dir of dirs) {
    const tls = await readCertificates(join(dir, host));
    if (tls.ca !== undefined || tls.certificates !== undefined) return tls;
  }
  return {};
}
