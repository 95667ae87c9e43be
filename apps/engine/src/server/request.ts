import type { FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { compareVersions, maxApiVersion } from "./api-version.ts";

/** The API version that a request's path asked for, kept beside the raw request. */
const versions = new WeakMap<IncomingMessage, string>();

export function rememberVersion(raw: IncomingMessage, version: string): void {
  versions.set(raw, version);
}

/** The API version of a request; the newest when its path had no prefix. */
export function apiVersionOf(request: FastifyRequest): string {
  return versions.get(request.raw) ?? maxApiVersion;
}

/** Whether the request speaks API `version` or newer. */
export function speaks(request: FastifyRequest, version: string): boolean {
  return compareVersions(apiVersionOf(request), version) >= 0;
}

/** A signal that aborts when the client goes away before the answer is complete. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  const { raw } = reply;
  if (raw.destroyed) controller.abort();
  else raw.once("close", () => (raw.writableFinished ? undefined : controller.abort()));
  return controller.signal;
}
