import { statSync } from "node:fs";
import { Unavailable } from "@longshore/errdefs";
import type { LogMessage } from "@longshore/logging";
import type { LogDriver, LogOptions } from "../contract.ts";
import { UdpWire, UnixDatagramWire } from "../wire/datagram.ts";
import { StreamWire } from "../wire/stream.ts";
import { tlsFiles } from "../wire/tls-files.ts";
import { wireTarget } from "../wire/wire-target.ts";
import type { Wire } from "../wire/wire.ts";
import { type SyslogAddress, addressOf, checkSyslogOptions, facilityOf, formatOf } from "./options.ts";

const severity = { stdout: 6, stderr: 3 } as const;
/** Where a machine's own syslog listens. */
const local = ["/dev/log", "/var/run/syslog", "/var/run/log"];

async function connect(address: SyslogAddress, options: LogOptions, signal: AbortSignal): Promise<Wire> {
  const { scheme, host, path, port } = address;
  switch (scheme) {
    case "udp":
      return UdpWire.open(host, port, signal);
    case "tcp":
      return StreamWire.open({ network: "tcp", host, port }, signal);
    case "tcp+tls": {
      const tls = tlsFiles({
        ca: options["syslog-tls-ca-cert"] ?? "",
        cert: options["syslog-tls-cert"] ?? "",
        key: options["syslog-tls-key"] ?? "",
        skipVerify: options["syslog-tls-skip-verify"] !== undefined,
      });
      return StreamWire.open({ network: "tcp", host, port, tls }, signal);
    }
    case "unix":
      return StreamWire.open({ network: "unix", path }, signal);
    case "unixgram":
      return new UnixDatagramWire(path);
    default: {
      const socket = local.find((each) => statSync(each, { throwIfNoEntry: false })?.isSocket() === true);
      if (socket === undefined) throw new Unavailable("Unix syslog delivery error");
      return new UnixDatagramWire(socket);
    }
  }
}

/** Lines to a syslog server, in the times at which they were printed. */
export const syslog: LogDriver = {
  options: [
    ...["syslog-address", "syslog-facility", "syslog-format"],
    ...["syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify"],
  ],
  validate: checkSyslogOptions,
  open: async ({ hostname, options, tag }, signal) => {
    const facility = facilityOf(options["syslog-facility"]);
    const format = formatOf(options["syslog-format"]);
    const address = addressOf(options["syslog-address"]);
    // RFC 5425, 4.3: over TLS each message is behind its length.
    const counted = address.scheme === "tcp+tls" && (options["syslog-format"] ?? "").startsWith("rfc5424");
    const encode = ({ line, stream, timeNano }: LogMessage): Buffer[] => {
      if (line.length === 0) return [];
      const head = format({ priority: facility | severity[stream], timeNano, hostname, tag, pid: process.pid });
      const message = Buffer.concat([Buffer.from(head), line, Buffer.from("\n")]);
      return counted ? [Buffer.from(`${message.length} `), message] : [message];
    };
    return wireTarget(await connect(address, options, signal), encode);
  },
};
