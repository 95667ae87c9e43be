export { SqliteFile } from "./file.ts";
