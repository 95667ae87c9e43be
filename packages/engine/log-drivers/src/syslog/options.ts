import { statSync } from "node:fs";
import { InvalidArgument } from "@longshore/errdefs";
import type { LogOptions } from "../contract.ts";
import { parseUrl, splitHostPort } from "../wire/url.ts";
import { type Format, formats } from "./format.ts";

const defaultPort = "514";
const names = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

export interface SyslogAddress {
  /** Empty for the machine's own syslog. */
  scheme: "" | "udp" | "tcp" | "tcp+tls" | "unix" | "unixgram";
  host: string;
  port: number;
  path: string;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgument(`invalid port ${text}`);
  return port;
}

/** @throws InvalidArgument `unsupported scheme: 'x'`, `stat /x: no such file or directory` */
export function addressOf(text: string | undefined): SyslogAddress {
  const none = { host: "", path: "", port: 0 };
  if (text === undefined || text === "") return { ...none, scheme: "" };
  const { scheme, host, path } = parseUrl(text);
  switch (scheme) {
    case "unix":
    case "unixgram":
      if (statSync(path, { throwIfNoEntry: false }) === undefined)
        throw new InvalidArgument(`stat ${path}: no such file or directory`);
      return { ...none, scheme, path };
    case "udp":
    case "tcp":
    case "tcp+tls": {
      const hasPort = /^(?:\[[^\]]*\]|[^:]*):/.test(host);
      const found = hasPort ? splitHostPort(host) : { host: host.replaceAll(/[[\]]/g, ""), port: defaultPort };
      return { ...none, scheme, host: found.host, port: portOf(found.port) };
    }
    default:
      throw new InvalidArgument(`unsupported scheme: '${scheme}'`);
  }
}

/** A facility's number, shifted as it stands in priorities. */
export function facilityOf(text: string | undefined): number {
  const number = text === undefined || text === "" ? names.indexOf("daemon") : names.indexOf(text);
  if (number >= 0) return number << 3;
  if (/^\+?\d+$/.test(text ?? "") && Number(text) <= 23) return Number(text) << 3;
  throw new InvalidArgument("invalid syslog facility");
}

export function formatOf(text: string | undefined): Format {
  const found = Object.hasOwn(formats, text ?? "") ? formats[text ?? ""] : undefined;
  if (found === undefined) throw new InvalidArgument("Invalid syslog format");
  return found;
}

export function checkSyslogOptions(options: LogOptions): void {
  addressOf(options["syslog-address"]);
  facilityOf(options["syslog-facility"]);
  formatOf(options["syslog-format"]);
}
