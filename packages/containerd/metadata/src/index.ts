export type * from "./contract.ts";
export type { Collected } from "./gc/collector.ts";
export type { ScheduleOptions } from "./gc/scheduler.ts";
export { Metadata, type MetadataOptions } from "./metadata.ts";
