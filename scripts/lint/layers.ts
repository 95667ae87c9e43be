import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { findViolations, readPackages } from "./packages.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const violations = findViolations(readPackages(root));
for (const violation of violations) console.error(violation);
process.exitCode = violations.length === 0 ? 0 : 1;
