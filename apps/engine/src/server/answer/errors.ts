import { httpStatusOf, isKind, messageOf } from "@longshore/errdefs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { compareVersions, minApiVersion } from "../version/api-version.ts";
import { leftUnread } from "../body/body.ts";
import { logFailure } from "./log-failure.ts";
import { apiVersionOf } from "../request.ts";
import { sendJsonText } from "./send.ts";

/** Docker's error body: JSON and a line feed. */
export function errorBody(message: string): string {
  return `${JSON.stringify({ message })}\n`;
}

/** Answers a thrown error with the status of its kind; the log keeps what was not the caller's fault. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const framework = frameworkStatus(error);
  const status = framework ?? httpStatusOf(error);
  if (isKind(error, "NotModified")) {
    void reply.code(304).removeHeader("content-type").send();
    return;
  }
  if (leftUnread(request)) void reply.header("Connection", "close");
  if (status >= 500) logFailure(request, error);
  if (compareVersions(apiVersionOf(request), minApiVersion) < 0) {
    void reply
      .code(status)
      .header("Content-Type", "text/plain; charset=utf-8")
      .header("x-content-type-options", "nosniff")
      .send(`${messageOf(error)}\n`);
    return;
  }
  sendJsonText(reply, status, errorBody(messageOf(error)));
}

/** fastify's own errors (bad URL, bad header) carry their status. */
function frameworkStatus(error: unknown): number | undefined {
  if (error === null || typeof error !== "object" || !("code" in error) || !("statusCode" in error)) return undefined;
  return typeof error.code === "string" && error.code.startsWith("FST_") && typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}
