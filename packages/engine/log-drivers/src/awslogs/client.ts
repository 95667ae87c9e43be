import { Unavailable, messageOf } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { AwsV4Signer } from "aws4fetch";
import type { CredentialSource } from "./credentials.ts";

/** How long the service may take, and how much of what it says is read, in milliseconds and bytes. */
const timeoutMs = 30_000;
const maxBytes = 64 << 10;

/** An answer of the service that is an error: `ResourceNotFoundException`, … */
export class ServiceError extends Unavailable {
  readonly type: string;

  constructor(operation: string, status: number, type: string, message: string) {
    super(
      `operation error CloudWatch Logs: ${operation}, https response error StatusCode: ${status}, ${type}: ${message}`,
    );
    this.type = type;
  }
}

/** CloudWatch Logs, 2014-03-28: JSON 1.1 over HTTP, signed. */
export class CloudWatchLogs {
  readonly #url: string;
  readonly #region: string;
  readonly #credentials: CredentialSource;

  constructor(region: string, endpoint: string | undefined, credentials: CredentialSource) {
    this.#region = region;
    this.#url = endpoint ?? `https://logs.${region}.${region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}`;
    this.#credentials = credentials;
  }

  /** @throws ServiceError, Unavailable when it cannot be reached */
  async call(
    operation: string,
    input: object,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#credentials
      .get(signal)
      .catch((error: unknown) => {
        throw new Unavailable(
          `operation error CloudWatch Logs: ${operation}, get identity: get credentials: ${messageOf(error)}`,
          { cause: error },
        );
      });
    const signed = await new AwsV4Signer({
      ...{ method: "POST", url: this.#url, service: "logs", region: this.#region, accessKeyId, secretAccessKey },
      ...(sessionToken === undefined ? {} : { sessionToken }),
      headers: {
        ...headers,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": `Logs_20140328.${operation}`,
      },
      body: JSON.stringify(input),
    }).sign();
    let response: Response;
    try {
      response = await fetch(signed.url, {
        method: signed.method,
        headers: signed.headers,
        body: JSON.stringify(input),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      throw new Unavailable(`operation error CloudWatch Logs: ${operation}, ${messageOf(cause ?? error)}`, {
        cause: error,
      });
    }
    const text = (await response.text()).slice(0, maxBytes);
    if (response.ok) return;
    throw errorOf(operation, response.status, text);
  }
}

function errorOf(operation: string, status: number, text: string): ServiceError {
  let said: Record<string, unknown> = {};
  try {
    said = parsePlain(text) as Record<string, unknown>;
  } catch {
    // Something else stands between: a proxy, say.
  }
  const type = String(said["__type"] ?? "UnknownError");
  return new ServiceError(
    operation,
    status,
    type.slice(type.indexOf("#") + 1),
    String(said["message"] ?? said["Message"] ?? ""),
  );
}
