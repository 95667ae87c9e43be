export { Mutex } from "./mutex.ts";
export { Pace } from "./pace.ts";
export { KeyedMutex } from "./keyed-mutex.ts";
export { Uses } from "./uses.ts";
