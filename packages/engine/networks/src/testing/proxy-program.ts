import { join } from "node:path";

/** docker-proxy's sources, which a test starts as the engine starts the bundle. */
export const proxyProgram = join(import.meta.dirname, "../../../../../apps/docker-proxy/src/main.ts");
