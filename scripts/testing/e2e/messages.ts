/** What the runner tells a worker, and a worker the runner, over the channel between the two processes. */
export type ToWorker = { run: string } | { end: true };
/** @property processor seconds of the whole host meanwhile */
export type FromWorker = { ready: true } | { ran: string; processor: number };
