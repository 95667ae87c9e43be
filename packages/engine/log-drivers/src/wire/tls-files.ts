import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { InvalidArgument } from "@longshore/errdefs";

function read(path: string, refuse: (why: string) => string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file or directory" : message;
    throw new InvalidArgument(refuse(`open ${path}: ${why}`), { cause: error });
  }
}

/**
 * Options of TLS from files, empty names left out.
 * @throws InvalidArgument `could not read CA certificate "x": open x: no such file or directory`, `could not load X509 key pair: …`
 */
export function tlsFiles(files: { ca?: string; cert?: string; key?: string; skipVerify: boolean }): ConnectionOptions {
  const pair = (why: string): string => `could not load X509 key pair: ${why}`;
  return {
    rejectUnauthorized: !files.skipVerify,
    ...(files.ca ? { ca: read(files.ca, (why) => `could not read CA certificate "${files.ca}": ${why}`) } : {}),
    ...(files.cert || files.key ? { cert: read(files.cert ?? "", pair), key: read(files.key ?? "", pair) } : {}),
  };
}
