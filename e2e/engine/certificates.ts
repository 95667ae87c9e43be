import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../host/exec.ts";

/**
 * Makes a CA in `dir`, a certificate that it signed for a server on 127.0.0.1 and one for a client,
 * and `stranger`, which nobody signed: `NAME.pem` with `NAME.key` each.
 */
export async function makeCertificates(dir: string): Promise<void> {
  const path = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): Promise<string> => must("openssl", args);
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...fresh,
    "-days",
    "2",
    "-subj",
    "/CN=ca",
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.pem"),
  );
  await openssl(
    "req",
    "-x509",
    ...fresh,
    "-days",
    "2",
    "-subj",
    "/CN=stranger",
    "-keyout",
    path("stranger.key"),
    "-out",
    path("stranger.pem"),
  );
  for (const [name, usage] of [
    ["server", "serverAuth"],
    ["client", "clientAuth"],
  ] as const) {
    writeFileSync(path(`${name}.ext`), `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`);
    await openssl("req", ...fresh, "-subj", `/CN=${name}`, "-keyout", path(`${name}.key`), "-out", path(`${name}.csr`));
    await openssl(
      "x509",
      "-req",
      "-in",
      path(`${name}.csr`),
      "-CA",
      path("ca.pem"),
      "-CAkey",
      path("ca.key"),
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      path(`${name}.ext`),
      "-out",
      path(`${name}.pem`),
    );
  }
}
