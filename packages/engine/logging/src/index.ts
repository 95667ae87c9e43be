export { isBlocked, type LogDamage } from "./damage.ts";
export { type LogEnd, openLog, type OpenLog, type ReadOptions } from "./reading/reader.ts";
export { type LogLine, nanosOf } from "./line.ts";
export { type LogShow, renderError, renderLines } from "./render.ts";
export { LogDrivers, type LogInfo, type ReadConfig } from "./feed/driver.ts";
export { LogFeed } from "./feed/feed.ts";
