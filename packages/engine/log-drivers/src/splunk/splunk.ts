import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Unavailable, messageOf } from "@longshore/errdefs";
import type { LogMessage } from "@longshore/logging";
import type { DriverContext, LogDriver } from "../contract.ts";
import { type HttpAnswer, type HttpRequest, agentOf, askHttp } from "../wire/http.ts";
import { type SplunkOptions, splunkOptions } from "./options.ts";

/** So many messages are in one request at the most. */
const batchSize = 1000;
/** So much of an answer is told, and so long one may take, in bytes and milliseconds. */
const maxBytes = 1024;
const timeoutMs = 30_000;

/** A line that is JSON stands in the event as it is. */
function asJson(text: string): string {
  try {
    // Only whether it is JSON is asked: it is sent on as it is written.
    // oxlint-disable-next-line no-restricted-properties
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

function eventOf(context: DriverContext, { format }: SplunkOptions): (message: LogMessage) => string | undefined {
  const { attributes, options } = context;
  const tag = options["tag"] === "" ? "" : context.tag;
  const named = Object.entries(attributes);
  const about = `${tag === "" ? "" : `,"tag":${JSON.stringify(tag)}`}${named.length === 0 ? "" : `,"attrs":${JSON.stringify(attributes)}`}`;
  const prefix = `${tag === "" ? "" : `${tag} `}${named.map(([key, value]) => `${key}=${value} `).join("")}`;
  return ({ line, stream }) => {
    const text = line.toString();
    // The collector refuses what is blank.
    if (format === "raw") return text.trim() === "" ? undefined : JSON.stringify(prefix + text);
    return `{"line":${format === "json" ? asJson(text) : JSON.stringify(text)},"source":"${stream}"${about}}`;
  };
}

function encoder(context: DriverContext, options: SplunkOptions): (message: LogMessage) => string {
  const event = eventOf(context, options);
  const rest = ["host", "source", "sourcetype", "index"]
    .map((name): [string, string] => [
      name,
      name === "host" ? context.hostname : (context.options[`splunk-${name}`] ?? ""),
    ])
    .filter(([name, value]) => name === "host" || value !== "")
    .map(([name, value]) => `,"${name}":${JSON.stringify(value)}`)
    .join("");
  return (message) => {
    const found = event(message);
    const time = `${message.timeNano / 1_000_000_000n}.${String((message.timeNano / 1000n) % 1_000_000n).padStart(6, "0")}`;
    return found === undefined ? "" : `{"event":${found},"time":"${time}"${rest}}`;
  };
}

/** Lines to Splunk's HTTP event collector. */
export const splunk: LogDriver = {
  options: [
    ...["url", "token", "source", "sourcetype", "index", "capath", "caname", "insecureskipverify"],
    ...["format", "verify-connection", "gzip", "gzip-level", "index-acknowledgment"],
  ].map((name) => `splunk-${name}`),
  // As Docker does it, they are judged when a container starts.
  validate: () => undefined,
  open: async (context, signal) => {
    const options = splunkOptions(context.options);
    const { acknowledgement, gzip, tls, token, url, verify } = options;
    const agent = agentOf(url, tls);
    const ask = (
      method: "Options" | "Post",
      more: Pick<HttpRequest, "headers" | "content" | "signal">,
    ): Promise<HttpAnswer> =>
      askHttp({ url, method: method.toUpperCase(), agent, maxBytes, timeoutMs, ...more }).catch((error: unknown) => {
        throw new Unavailable(`${method} ${JSON.stringify(url)}: ${messageOf(error)}`, { cause: error });
      });
    const headers = {
      Authorization: `Splunk ${token}`,
      ...(gzip === undefined ? {} : { "Content-Encoding": "gzip" }),
    };
    if (verify) {
      const { body, status, statusText } = await ask("Options", { headers: {}, signal });
      if (status !== 200) throw new Unavailable(`splunk: failed to verify connection - ${statusText} - ${body}`);
    }
    const encode = encoder(context, options);
    return {
      confirms: true,
      send: async (messages, abort) => {
        for (let at = 0; at < messages.length; at += batchSize) {
          const text = messages
            .slice(at, at + batchSize)
            .map(encode)
            .join("");
          if (text === "") continue;
          const content = gzip === undefined ? Buffer.from(text) : gzipSync(text, { level: gzip });
          const channel = acknowledgement ? { "X-Splunk-Request-Channel": randomUUID() } : {};
          const { body, status, statusText } = await ask("Post", {
            headers: { ...headers, ...channel },
            content,
            signal: abort,
          });
          if (status !== 200) throw new Unavailable(`splunk: failed to send event - ${statusText} - ${body}`);
        }
      },
      check: () => undefined,
      end: async () => agent.destroy(),
      close: () => agent.destroy(),
    };
  },
};
