import type { Agent } from "node:http";
import { Unavailable, messageOf } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { AwsV4Signer } from "aws4fetch";
import { agentOf, askHttp } from "../wire/http.ts";
import type { CredentialSource } from "./credentials.ts";

/** How long the service may take, and how much of what it says is kept, in milliseconds and bytes. */
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
  readonly #agent: Agent;

  constructor(region: string, endpoint: string | undefined, credentials: CredentialSource) {
    this.#region = region;
    this.#url = endpoint ?? `https://logs.${region}.${region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com"}`;
    this.#credentials = credentials;
    this.#agent = agentOf(this.#url);
  }

  close(): void {
    this.#agent.destroy();
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
    const body = JSON.stringify(input);
    const signed = await new AwsV4Signer({
      ...{ method: "POST", url: this.#url, service: "logs", region: this.#region, accessKeyId, secretAccessKey },
      ...(sessionToken === undefined ? {} : { sessionToken }),
      headers: {
        ...headers,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": `Logs_20140328.${operation}`,
      },
      body,
    }).sign();
    const answer = await askHttp({
      url: this.#url,
      method: signed.method,
      headers: Object.fromEntries(signed.headers),
      content: Buffer.from(body),
      agent: this.#agent,
      maxBytes,
      timeoutMs,
      signal,
    }).catch((error: unknown) => {
      throw new Unavailable(`operation error CloudWatch Logs: ${operation}, ${messageOf(error)}`, { cause: error });
    });
    if (answer.status < 200 || answer.status > 299) throw errorOf(operation, answer.status, answer.body);
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
