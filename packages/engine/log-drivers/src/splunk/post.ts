import { type Agent, STATUS_CODES, request } from "node:http";
import { request as requestTls } from "node:https";
import { Unavailable, messageOf } from "@longshore/errdefs";
import { dialError } from "../wire/dial-error.ts";

/** So much of an answer is read, and so long one may take, in bytes and milliseconds. */
const maxBytes = 1024;
const timeoutMs = 30_000;

export interface PostRequest {
  url: string;
  method: "OPTIONS" | "POST";
  headers: Readonly<Record<string, string>>;
  content?: Buffer;
  agent: Agent;
  signal: AbortSignal;
}

/**
 * @returns the status as `200 OK`, and the beginning of what is said
 * @throws Unavailable in Go's words: `Options "http://x": dial tcp 127.0.0.1:1: connect: connection refused`
 */
export async function post({
  url,
  method,
  headers,
  content,
  agent,
  signal,
}: PostRequest): Promise<{ status: string; body: string }> {
  const { hostname, port, protocol } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: string; body: string }>();
  const send = protocol === "https:" ? requestTls : request;
  const asked = send(url, {
    method,
    headers: { ...headers, "Content-Length": content?.length ?? 0 },
    agent,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  asked.once("error", reject).once("response", (response) => {
    let body = "";
    const status = `${response.statusCode} ${STATUS_CODES[response.statusCode ?? 0] ?? ""}`;
    response
      .on("data", (chunk: Buffer) => (body = (body + chunk.toString()).slice(0, maxBytes)))
      .once("error", reject)
      .once("end", () => resolve({ status, body }));
  });
  asked.end(content);
  try {
    return await promise;
  } catch (error) {
    const address = `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
    const name = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
    throw new Unavailable(`${name} ${JSON.stringify(url)}: ${messageOf(dialError("tcp", address, error))}`, {
      cause: error,
    });
  }
}
