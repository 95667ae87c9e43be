export { Mutex } from "./mutex.ts";
export { Pace } from "./pace.ts";
export { Turns } from "./turns.ts";
export { Uses } from "./uses.ts";
