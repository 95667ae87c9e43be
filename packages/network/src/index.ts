export type * from "./contract.ts";
export { NetworkController, type NetworkControllerOptions } from "./controller.ts";
