import { Unavailable, messageOf } from "@longshore/errdefs";

/** The machine's metadata service: EC2's, version 2. */
const host = "http://169.254.169.254";
const timeoutMs = 2000;
const maxBytes = 64 << 10;

/** @throws Unavailable with what kept it from an answer of 200 */
export async function ask(url: string, init: RequestInit, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    const text = (await response.text()).slice(0, maxBytes);
    if (response.status !== 200) throw new Unavailable(`http response error StatusCode: ${response.status}`);
    return text;
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    throw new Unavailable(messageOf(cause ?? error), { cause: error });
  }
}

/** What EC2's metadata service has under a path. */
export async function metadata(path: string, signal: AbortSignal): Promise<string> {
  const headers = { "X-aws-ec2-metadata-token-ttl-seconds": "60" };
  const token = await ask(`${host}/latest/api/token`, { method: "PUT", headers }, signal);
  return ask(`${host}/latest/${path}`, { headers: { "X-aws-ec2-metadata-token": token } }, signal);
}
