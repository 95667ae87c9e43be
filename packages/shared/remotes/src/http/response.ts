import { STATUS_CODES } from "node:http";
import { InvalidArgument } from "@longshore/errdefs";
import { registryError, type RegistryError } from "./errors.ts";

/** Enough for any error body; what is longer is cut. */
const errorBodyBytes = 64 << 10;

/** A registry's answer; its body must be read or thrown away with `discard`. */
export interface RegistryResponse {
  readonly method: string;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  /** Without its Content-Encoding. @throws NetworkError, Canceled, FailedPrecondition in the iteration */
  readonly body: AsyncIterable<Buffer>;
}

/** The first value of a header. */
export function headerOf(response: RegistryResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Frees the connection of an answer whose body is not wanted. */
export async function discard(response: RegistryResponse): Promise<void> {
  await readCut(response, errorBodyBytes);
}

async function readCut(response: RegistryResponse, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // The status has been read; a body that breaks off adds nothing to it.
  }
  return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
}

/** Reads a body whole. @throws InvalidArgument when it is longer than `limit` bytes; NetworkError */
export async function readWhole(response: RegistryResponse, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) throw new InvalidArgument(`answer from ${response.url.href} exceeds the limit of ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a small text body whole. */
export async function readText(response: RegistryResponse): Promise<string> {
  return readCut(response, errorBodyBytes);
}

/** The error that an unwanted answer stands for; takes in its body. */
export async function failureOf(response: RegistryResponse): Promise<RegistryError> {
  return registryError({
    method: response.method,
    url: response.url.href,
    status: response.status,
    statusText: STATUS_CODES[response.status] ?? "",
    body: await readText(response),
  });
}
