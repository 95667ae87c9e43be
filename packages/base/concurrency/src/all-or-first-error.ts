/**
 * Waits for all work, which runs under one signal: the first failure aborts the rest, and only when
 * all have come to rest is it thrown.
 */
export async function allOrFirstError<T>(
  parent: AbortSignal,
  start: (signal: AbortSignal) => readonly Promise<T>[],
): Promise<T[]> {
  const abort = new AbortController();
  const signal = AbortSignal.any([parent, abort.signal]);
  let failure: { error: unknown } | undefined;
  const works = start(signal).map((work) =>
    work.catch((error: unknown) => {
      failure ??= { error };
      abort.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(works);
  if (failure !== undefined) throw failure.error;
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
