import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { DeadlineExceeded, Unavailable } from "@longshore/errdefs";
import { dialText, hostPort } from "@longshore/errdefs/dial";
import type { PluginAddress } from "./address.ts";

const mediaType = "application/vnd.docker.plugins.v1.2+json";
/** The host that stands in requests over a socket. */
const socketHost = "plugin.moby.localhost";

/** What the head of a plugin's answer may take. */
const maxHeaderSize = 1 << 20;

function connection(address: PluginAddress): { url: string; dial: readonly [network: string, address: string] } {
  if ("socketPath" in address) return { url: `http://${socketHost}`, dial: ["unix", address.socketPath] };
  const { host, port, path, tls } = address;
  const authority = hostPort(host, port);
  return { url: `${tls === undefined ? "http" : "https"}://${authority}${path}`, dial: ["tcp", authority] };
}

function open(address: PluginAddress, method: string, length: number): ClientRequest {
  const headers = {
    Accept: mediaType,
    "Content-Length": length,
    ...(length > 0 ? { "Content-Type": "application/json" } : {}),
  };
  if ("socketPath" in address) {
    return httpRequest({
      socketPath: address.socketPath,
      method: "POST",
      path: `/${method}`,
      headers: { Host: socketHost, ...headers },
      agent: false,
      maxHeaderSize,
    });
  }
  const { host, port, path, tls } = address;
  const options = {
    host,
    port,
    method: "POST",
    path: `${path}/${method}`,
    headers,
    agent: false as const,
    maxHeaderSize,
  };
  return tls === undefined ? httpRequest(options) : httpsRequest({ ...options, ...tls });
}

export interface PostOptions {
  /** Until the answer begins, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Posts a JSON body, or none, to a plugin's method, such as `VolumeDriver.Create`.
 * @returns the answer, whose body is unread
 * @throws Unavailable with Go's words when nobody takes the request, DeadlineExceeded when nobody answers
 */
export function post(
  address: PluginAddress,
  method: string,
  body: unknown,
  { timeoutMs, signal }: PostOptions,
): Promise<IncomingMessage> {
  const { url, dial } = connection(address);
  const payload = body === undefined ? "" : `${JSON.stringify(body)}\n`;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = open(address, method, Buffer.byteLength(payload));
  const label = `Post "${url}/${method}"`;
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    request.destroy();
  }, timeoutMs);
  const abort = (): void => void request.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  request.once("response", (answer) => {
    clearTimeout(timer);
    answer.once("close", () => signal?.removeEventListener("abort", abort));
    resolve(answer);
  });
  request.on("error", (error: NodeJS.ErrnoException) => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    if (expired) return reject(new DeadlineExceeded(`${label}: context deadline exceeded`, { cause: error }));
    const reason = dialText(error, ...dial) ?? (error.code === "ECONNRESET" ? "EOF" : error.message);
    reject(new Unavailable(`${label}: ${reason}`, { cause: error }));
  });
  if (signal?.aborted === true) request.destroy();
  else request.end(payload);
  return promise;
}
