type Handler = (...args: unknown[]) => unknown;

/** A service's handlers, each called by `call` with a function that does what it did. */
export function around<H extends object>(handlers: H, call: (handle: () => unknown) => unknown): H {
  const wrapped = Object.entries(handlers).map(([name, handle]: [string, Handler]): [string, Handler] => [
    name,
    (...args) => call(() => handle(...args)),
  ]);
  return Object.fromEntries(wrapped) as H;
}
