import { Agent, STATUS_CODES, request } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import type { ConnectionOptions } from "node:tls";
import { Unavailable, messageOf } from "@longshore/errdefs";
import { dialText, hostPort } from "@longshore/errdefs/dial";

export interface HttpRequest {
  url: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  content?: Buffer;
  agent?: Agent;
  /** How long it may take, in milliseconds. */
  timeoutMs: number;
  /** So many bytes of what is said are kept. */
  maxBytes: number;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  /** As a status line ends: `200 OK`. */
  statusText: string;
  body: string;
}

/** Connections to a service that stay, by the proxy that the environment names. */
export function agentOf(url: string, tls: ConnectionOptions = {}): Agent {
  const settings = { keepAlive: true, proxyEnv: process.env };
  return url.startsWith("https:") ? new TlsAgent({ ...settings, ...tls }) : new Agent(settings);
}

/** Asks a log service, and reads its answer to the end. @throws Unavailable in Go's words: `dial tcp 127.0.0.1:1: connect: connection refused` */
export async function askHttp(asked: HttpRequest): Promise<HttpAnswer> {
  const { agent, content, headers, maxBytes, method, signal, timeoutMs, url } = asked;
  const { hostname, port, protocol } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const isTls = protocol === "https:";
  const sent = (isTls ? requestTls : request)(url, {
    method,
    headers: { ...headers, "Content-Length": content?.length ?? 0 },
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    ...(agent === undefined ? {} : { agent }),
  });
  sent.once("error", reject).once("response", (response) => {
    let body = "";
    const status = response.statusCode ?? 0;
    response
      .on("data", (chunk: Buffer) => (body = (body + chunk.toString()).slice(0, maxBytes)))
      .once("error", reject)
      .once("end", () => resolve({ status, statusText: `${status} ${STATUS_CODES[status] ?? ""}`, body }));
  });
  sent.end(content);
  try {
    return await promise;
  } catch (error) {
    const address = hostPort(hostname, port || (isTls ? 443 : 80));
    throw new Unavailable(dialText(error, "tcp", address) ?? messageOf(error), { cause: error });
  }
}
