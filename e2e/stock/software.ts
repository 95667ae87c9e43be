import { existsSync } from "node:fs";
import { importDebian } from "./debian.ts";
import type { Longshore } from "../engine/longshore.ts";

export const softwareImage = "e2e-software";

/** Makes an image with nginx, PostgreSQL, Redis and what Node needs, once. */
export async function importSoftware(longshore: Longshore): Promise<void> {
  if ((await longshore.docker(["image", "inspect", softwareImage])).code === 0) return;
  await importDebian(longshore);
  const name = "e2e-install";
  // The machine's own resolver and certificates serve its package mirror, whatever that is.
  const certificates = existsSync("/etc/ssl/certs/ca-certificates.crt")
    ? ["-v", "/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro"]
    : [];
  const install =
    "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light postgresql redis-server libatomic1 >/dev/null";
  try {
    const result = await longshore.docker(["run", "--name", name, ...certificates, "debian", "sh", "-c", install], {
      timeoutMs: 500_000,
    });
    if (result.code !== 0) throw new Error(`the software cannot be installed: ${result.stderr.slice(-2000)}`);
    await longshore.ok(["commit", name, softwareImage], { timeoutMs: 300_000 });
  } finally {
    await longshore.docker(["rm", "-f", name]);
  }
}
