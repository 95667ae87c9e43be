import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { InvalidArgument, messageOf } from "@longshore/errdefs";

function read(path: string, failure: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidArgument(`${failure}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Options of TLS from files, empty names left out.
 * @throws InvalidArgument `could not read CA certificate "x": open x: no such file or directory`, `could not load X509 key pair: …`
 */
export function tlsFiles(files: { ca?: string; cert?: string; key?: string; skipVerify: boolean }): ConnectionOptions {
  const pair = "could not load X509 key pair";
  return {
    rejectUnauthorized: !files.skipVerify,
    ...(files.ca ? { ca: read(files.ca, `could not read CA certificate "${files.ca}"`) } : {}),
    ...(files.cert || files.key ? { cert: read(files.cert ?? "", pair), key: read(files.key ?? "", pair) } : {}),
  };
}
