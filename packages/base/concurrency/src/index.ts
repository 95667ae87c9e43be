export { Mutex } from "./mutex.ts";
export { Turns } from "./turns.ts";
