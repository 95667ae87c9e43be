export { type NetworksBackend, networksBackend } from "./backend.ts";
export type * from "./contract.ts";
export type { DefaultBridgeOptions } from "./bridge/default-bridge.ts";
export { NetworkController, type NetworkControllerOptions } from "./controller.ts";
export { pluginNetworks } from "./remote/plugin-drivers.ts";
export { builtInDrivers } from "./remote/remote-networks.ts";
