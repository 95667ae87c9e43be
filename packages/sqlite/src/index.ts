export { SqliteFile, type SqliteFileOptions } from "./file.ts";
