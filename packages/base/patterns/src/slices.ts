import { setImmediate } from "node:timers/promises";

const sliceMs = 10;

/** As `flatMap`, for what may take long: other work has its turn every few milliseconds. */
export async function flatMapInSlices<T, R>(items: readonly T[], of: (item: T) => readonly R[]): Promise<R[]> {
  const out: R[] = [];
  let since = performance.now();
  for (const item of items) {
    if (performance.now() - since > sliceMs) {
      await setImmediate();
      since = performance.now();
    }
    out.push(...of(item));
  }
  return out;
}

/** As `filter`, with patterns of clients. */
export function filterInSlices<T>(items: readonly T[], accepts: (item: T) => boolean): Promise<T[]> {
  return flatMapInSlices(items, (item) => (accepts(item) ? [item] : []));
}
