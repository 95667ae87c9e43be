export { allOrFirstError } from "./all-or-first-error.ts";
export { Exclusive } from "./exclusive.ts";
export { KeyedMutex } from "./keyed-mutex.ts";
export { Mutex } from "./mutex.ts";
export { Pace } from "./pace.ts";
export { Slots } from "./semaphore.ts";
export { settleAll } from "./settle-all.ts";
export { Uses } from "./uses.ts";
