import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { parseBool, parseDuration, parseInteger, quoteText, ramInBytes } from "@longshore/go-values";
import type { LogOptions } from "../contract.ts";
import type { StreamAddress } from "../wire/stream.ts";
import { parseUrl } from "../wire/url.ts";

export interface FluentdOptions {
  address: StreamAddress;
  /** A container starts without a server, too. */
  async: boolean;
  /** The server says what it has. */
  ack: boolean;
  subSecond: boolean;
}

const shortestMs = 100;
const longestMs = 10_000;

function address(text: string): StreamAddress {
  const tcp = { network: "tcp", host: "127.0.0.1", port: 24_224 };
  if (text === "") return tcp;
  const { scheme, host, path } = parseUrl(text.includes("://") ? text : `tcp://${text}`);
  if (scheme === "unix") {
    if (path.replaceAll("/", "") === "") throw new InvalidArgument("path is empty");
    return { network: "unix", path };
  }
  if (scheme !== "tcp" && scheme !== "tls") throw new InvalidArgument(`unsupported scheme: '${scheme}'`);
  if (path !== "") throw new InvalidArgument("should not contain a path element");
  const [, name = "", port = ""] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(host) ?? [];
  return {
    ...tcp,
    host: name.replaceAll(/[[\]]/g, "") || tcp.host,
    port: port === "" ? tcp.port : portOf(port),
    ...(scheme === "tls" ? { tls: {} } : {}),
  };
}

function portOf(text: string): number {
  try {
    return parseInteger(text, "ParseUint", 16);
  } catch (error) {
    throw new InvalidArgument(`invalid port: ${messageOf(error)}`, { cause: error });
  }
}

/** Options in milliseconds. @param what stands before Go's words */
function durationMs(text: string, what: string): number {
  try {
    return parseDuration(text) / 1e6;
  } catch (error) {
    throw new InvalidArgument(`${what}${messageOf(error)}`, { cause: error });
  }
}

function checkRetries(text: string): void {
  if (parseInteger(text, "ParseUint", 32) > 2 ** 31 - 1)
    throw new InvalidArgument("invalid fluentd-max-retries: value out of range");
}

function checkInterval(text: string): void {
  const what = "invalid value for fluentd-async-reconnect-interval: ";
  const ms = durationMs(text, what);
  if (ms !== 0 && (ms < shortestMs || ms > longestMs))
    throw new InvalidArgument(`${what}value (${quoteText(text)}) must be between 100ms and 10s`);
}

function checkWriteTimeout(text: string): void {
  const what = "invalid value for fluentd-write-timeout: value must be a duration";
  if (durationMs(text, `${what}: `) < 0) throw new InvalidArgument(`${what} that is non-negative`);
}

/**
 * What was asked for. How often and how long a server is tried, and how much waits for it, has no bound here but that of the
 * copy that is kept: those options are judged only.
 * @throws InvalidArgument in Docker's words
 */
export function fluentdOptions(options: LogOptions): FluentdOptions {
  const given = (name: string): string => options[`fluentd-${name}`] ?? "";
  const flag = (name: string): boolean => given(name) !== "" && parseBool(given(name));
  let where: StreamAddress;
  try {
    where = address(given("address"));
  } catch (error) {
    throw new InvalidArgument(`invalid fluentd-address (${given("address")}): ${messageOf(error)}`, { cause: error });
  }
  if (given("buffer-limit") !== "") ramInBytes(given("buffer-limit"));
  if (given("retry-wait") !== "") durationMs(given("retry-wait"), "");
  if (given("max-retries") !== "") checkRetries(given("max-retries"));
  const found = { address: where, async: flag("async") };
  if (given("async-reconnect-interval") !== "") checkInterval(given("async-reconnect-interval"));
  const flags = { subSecond: flag("sub-second-precision"), ack: flag("request-ack") };
  if (given("write-timeout") !== "") checkWriteTimeout(given("write-timeout"));
  return { ...found, ...flags };
}
