import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { findViolations, readPackages } from "./packages.ts";
import { findRouteViolations, readRoutes } from "./routes.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const packages = readPackages(root);
const violations = [...findViolations(packages), ...findRouteViolations(readRoutes(root), packages)];
for (const violation of violations) console.error(violation);
process.exitCode = violations.length === 0 ? 0 : 1;
