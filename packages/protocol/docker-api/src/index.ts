export type * from "./container-stats.ts";
export type * from "./container.ts";
export type * from "./emit.ts";
export type * from "./host-config.ts";
export type * from "./image.ts";
export type * from "./network.ts";
export type * from "./system.ts";
export type * from "./volume.ts";
