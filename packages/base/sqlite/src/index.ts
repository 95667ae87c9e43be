export { SqliteFile, type SqliteRow, type SqliteFileOptions } from "./file.ts";
