import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { parseBool, parseInteger } from "@longshore/go-values";
import type { LogOptions } from "../contract.ts";
import { parseUrl } from "../wire/url.ts";

export interface SplunkOptions {
  url: string;
  token: string;
  tls: ConnectionOptions;
  /** zlib's level; undefined for what is sent as it is. */
  gzip: number | undefined;
  acknowledgement: boolean;
  verify: boolean;
  format: "inline" | "json" | "raw";
}

const collector = "/services/collector/event/1.0";

function urlOf(text: string | undefined): string {
  if (text === undefined) throw new InvalidArgument("splunk: splunk-url is expected");
  let url;
  try {
    url = parseUrl(text);
  } catch (error) {
    throw new InvalidArgument(`splunk: failed to parse ${text} as url value in splunk-url`, { cause: error });
  }
  const { scheme, host, path, hasFragment, hasQuery } = url;
  if ((scheme !== "http" && scheme !== "https") || (path !== "" && path !== "/") || hasQuery || hasFragment)
    throw new InvalidArgument("splunk: expected format scheme://dns_name_or_ip:port for splunk-url");
  return `${scheme}://${host}${collector}`;
}

function fileOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InvalidArgument(messageOf(error), { cause: error });
  }
}

function levelOf(text: string): number {
  const level = parseInteger(text, "ParseInt", 32);
  if (level < -1 || level > 9)
    throw new InvalidArgument(
      `not supported level '${text}' for splunk-gzip-level (supported values between -1 and 9)`,
    );
  return level;
}

/** @throws InvalidArgument in Docker's words, which it says when a container starts */
export function splunkOptions(options: LogOptions): SplunkOptions {
  const flag = (name: string, otherwise: boolean): boolean => {
    const text = options[`splunk-${name}`];
    return text === undefined ? otherwise : parseBool(text);
  };
  const url = urlOf(options["splunk-url"]);
  const token = options["splunk-token"];
  if (token === undefined) throw new InvalidArgument("splunk: splunk-token is expected");
  const ca = options["splunk-capath"];
  const name = options["splunk-caname"];
  const tls = {
    rejectUnauthorized: !flag("insecureskipverify", false),
    ...(ca === undefined ? {} : { ca: fileOf(ca) }),
    ...(name === undefined ? {} : { servername: name }),
  };
  const compressed = flag("gzip", false);
  const level = options["splunk-gzip-level"] === undefined ? -1 : levelOf(options["splunk-gzip-level"]);
  const acknowledgement = flag("index-acknowledgment", false);
  const verify = flag("verify-connection", true);
  const format = options["splunk-format"] ?? "inline";
  if (format !== "inline" && format !== "json" && format !== "raw")
    throw new InvalidArgument(`unknown format specified ${format}, supported formats are inline, json and raw`);
  return { url, token, tls, gzip: compressed ? level : undefined, acknowledgement, verify, format };
}
