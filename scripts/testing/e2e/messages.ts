/** What the runner tells a worker, and a worker the runner, over the channel between the two processes. */
export type ToWorker = { run: string } | { end: true };
export type FromWorker = { ready: true } | { ran: string };
