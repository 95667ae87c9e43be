import { join } from "node:path";
import { findUnwanted } from "./tracked-files.ts";

const unwanted = findUnwanted(join(import.meta.dirname, "../.."));
for (const each of unwanted) console.error(each);
process.exitCode = unwanted.length === 0 ? 0 : 1;
