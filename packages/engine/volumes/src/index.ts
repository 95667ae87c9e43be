export type * from "./contract.ts";
export { LocalVolumes } from "./local/local-volumes.ts";
export { type VolumesBackend, volumesBackend } from "./backend.ts";
export { DriverVolumes } from "./drivers/driver-volumes.ts";
export { pluginVolumeDrivers } from "./drivers/plugin-driver.ts";
