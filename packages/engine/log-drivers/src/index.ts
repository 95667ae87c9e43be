export type { DriverContext, LogDriver, LogOptions, LogTarget } from "./contract.ts";
export { serverDriver, serverDriverNames } from "./drivers.ts";
export { serverOutlets } from "./outlets.ts";
