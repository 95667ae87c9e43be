export type * from "./contract.ts";
export { LocalVolumes } from "./local-volumes.ts";
export { type VolumesBackend, volumesBackend } from "./backend.ts";
export { DriverVolumes } from "./driver-volumes.ts";
export { pluginVolumeDrivers } from "./plugin-driver.ts";
