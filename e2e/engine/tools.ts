import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where scripts/testing/clients puts the stock clients and parts, and the Debian root. */
const toolsDir = process.env["LONGSHORE_TEST_TOOLS"] ?? "/var/cache/longshore/tests";
export const tool = (name: string): string => join(toolsDir, "bin", name);
export const debianRoot = join(toolsDir, "debian.tar");
export const repository = fileURLToPath(new URL("../..", import.meta.url));
