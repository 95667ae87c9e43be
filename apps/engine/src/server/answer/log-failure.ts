import { type ErrorKind, kindOf, LongshoreError, messageOf } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { targetOf } from "../request.ts";

/** What the engine or the machine could not do, whatever was asked for. */
const faults: ReadonlySet<ErrorKind> = new Set([
  "Internal",
  "DataLoss",
  "Unavailable",
  "ResourceExhausted",
  "Aborted",
  "DeadlineExceeded",
]);

/** An error that nobody threw on purpose, or that hides behind one that was: its place is worth knowing. */
function isBug(error: unknown): boolean {
  if (!(error instanceof LongshoreError)) return true;
  for (let { cause } = error as Error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError) return true;
  return false;
}

/**
 * Keeps in the log why a request was answered with 500 or more. Many of these statuses are Docker's for what its user got
 * wrong, such as an unknown user or a registry without the image: that is told in a line, as it was answered.
 */
export function logFailure(request: FastifyRequest, error: unknown): void {
  const where = { method: request.method, url: targetOf(request).uri };
  if (isBug(error)) request.log.error({ err: error, ...where }, "request failed");
  else if (faults.has(kindOf(error))) request.log.error({ error: messageOf(error), ...where }, "request failed");
  else request.log.info({ error: messageOf(error), ...where }, "request refused");
}
