export type * from "./contract.ts";
export { LocalVolumes } from "./local-volumes.ts";
export { anonymousLabel } from "./names.ts";
export { DriverVolumes } from "./driver-volumes.ts";
export { pluginVolumeDrivers } from "./plugin-driver.ts";
