export { isBlocked, type LogDamage } from "./damage.ts";
export { readLog, type ReadOptions } from "./reader.ts";
export { nanosOf } from "./line.ts";
export type { LogShow } from "./render.ts";
