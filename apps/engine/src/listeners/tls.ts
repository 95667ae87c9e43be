import { accessSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createSecureContext, type TlsOptions } from "node:tls";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { goFileError } from "./file-error.ts";

/** What dockerd's `--tls…` flags say. */
export interface TlsConfig {
  /** Whether clients have to show a certificate of the CA. */
  verify: boolean;
  /** Paths; empty for the default, if that file is there: below `$DOCKER_CERT_PATH`, `$DOCKER_CONFIG` or `~/.docker`. */
  ca: string;
  cert: string;
  key: string;
}

function orDefault(path: string, name: string): string {
  if (path !== "") return path;
  const usual = join(
    process.env["DOCKER_CERT_PATH"] || process.env["DOCKER_CONFIG"] || join(homedir(), ".docker"),
    name,
  );
  try {
    accessSync(usual);
    return usual;
  } catch {
    return "";
  }
}

function read(path: string, failure: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidArgument(`invalid TLS configuration: ${failure}: ${goFileError(error, path)}`, { cause: error });
  }
}

/**
 * Loads certificate, key and CA.
 * @throws InvalidArgument with dockerd's text when one of them cannot be used
 */
export function loadTls(config: TlsConfig): TlsOptions {
  const cert = orDefault(config.cert, "cert.pem");
  const key = orDefault(config.key, "key.pem");
  const pair = `Could not load X509 key pair (cert: ${JSON.stringify(cert)}, key: ${JSON.stringify(key)})`;
  const options: TlsOptions = {
    cert: read(cert, pair),
    key: read(key, pair),
    minVersion: "TLSv1.2",
    requestCert: config.verify,
    rejectUnauthorized: config.verify,
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw new InvalidArgument(`invalid TLS configuration: ${pair}: ${messageOf(error)}`, { cause: error });
  }
  if (!config.verify) return options;
  const ca = orDefault(config.ca, "ca.pem");
  // Without a CA of its own the daemon would trust whomever the machine's list of CAs trusts.
  const text = read(ca, `could not read CA certificate ${JSON.stringify(ca)}`);
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new InvalidArgument(
      `invalid TLS configuration: failed to append certificates from PEM file: ${JSON.stringify(ca)}`,
    );
  return { ...options, ca: text };
}
