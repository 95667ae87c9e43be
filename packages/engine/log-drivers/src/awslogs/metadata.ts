import { Unavailable } from "@longshore/errdefs";
import { askHttp } from "../wire/http.ts";

/** The machine's metadata service: EC2's, version 2. */
const host = "http://169.254.169.254";
const timeoutMs = 2000;
const maxBytes = 64 << 10;

/** @throws Unavailable with what kept it from an answer of 200 */
export async function ask(
  url: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<string> {
  const { body, status } = await askHttp({ url, method, headers, maxBytes, timeoutMs, signal });
  if (status !== 200) throw new Unavailable(`http response error StatusCode: ${status}`);
  return body;
}

/** What EC2's metadata service has under a path. */
export async function metadata(path: string, signal: AbortSignal): Promise<string> {
  const token = await ask(`${host}/latest/api/token`, signal, { "X-aws-ec2-metadata-token-ttl-seconds": "60" }, "PUT");
  return ask(`${host}/latest/${path}`, signal, { "X-aws-ec2-metadata-token": token });
}
