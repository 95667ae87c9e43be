export type * from "./contract.ts";
export { LocalVolumes } from "./local-volumes.ts";
export { anonymousLabel } from "./names.ts";
