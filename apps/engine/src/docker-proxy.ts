import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** docker-proxy's bundle, which lies beside the engine's own; in a checkout its own build, or its sources when there is none. */
export function dockerProxyProgram(): string {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return at("docker-proxy.mjs");
  const bundled = at("../../docker-proxy/build/docker-proxy.mjs");
  return existsSync(bundled) ? bundled : at("../../docker-proxy/src/main.ts");
}
