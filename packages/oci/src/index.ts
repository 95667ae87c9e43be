export { chainIds } from "./chain-id.ts";
export * from "./image.ts";
export * from "./marshal.ts";
export { formatPlatform, hostPlatform, normalizePlatform, type PlatformRank, rankPlatforms } from "./platforms.ts";
export type * as runtime from "./runtime.ts";
export type { Linux, LinuxResources, Process, Spec } from "./runtime.ts";
