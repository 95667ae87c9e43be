import { around } from "./handlers.ts";

/**
 * Calls `end` when no handler was called within `patienceMs`: a containerd that was killed before it
 * had written down where this server listens never asks, and the next one does not know of it.
 * Whoever asks once is known to be there, and ends the server with Shutdown.
 */
export function shutdownUnlessCalled(patienceMs: number, end: () => void): <H extends object>(handlers: H) => H {
  const timer = setTimeout(end, patienceMs);
  timer.unref();
  return (handlers) =>
    around(handlers, (handle) => {
      clearTimeout(timer);
      return handle();
    });
}
