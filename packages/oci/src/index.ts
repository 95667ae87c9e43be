export * from "./image.ts";
export * from "./marshal.ts";
export type * as runtime from "./runtime.ts";
export type { Linux, LinuxResources, Process, Spec } from "./runtime.ts";
