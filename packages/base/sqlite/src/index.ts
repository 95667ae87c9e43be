export { SqliteFile, type SqliteRow, type SqliteFileOptions } from "./file.ts";
export { databasesSetAside, isDamaged, setDatabaseAside } from "./damaged.ts";
