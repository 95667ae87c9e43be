export { type LogLine, nanosOf, renderLine } from "./line.ts";
export { readLog, type ReadOptions } from "./reader.ts";
