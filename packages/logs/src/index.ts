export { isBlocked, type LogDamage } from "./damage.ts";
export { readLog, type ReadOptions } from "./reader.ts";
export { nanosOf } from "./line.ts";
export type { LogShow } from "./render.ts";
export { LogDrivers, type LogInfo } from "./feed/driver.ts";
export { LogFeed } from "./feed/feed.ts";
