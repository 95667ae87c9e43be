/** Waits for all, then throws the first error: nothing goes on behind a failed step's back. */
export async function settleAll(steps: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
