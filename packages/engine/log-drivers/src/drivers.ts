import type { LogDriver } from "./contract.ts";
import { awslogs } from "./awslogs/awslogs.ts";
import { fluentd } from "./fluentd/fluentd.ts";
import { gelf } from "./gelf/gelf.ts";
import { journald } from "./journald/journald.ts";
import { splunk } from "./splunk/splunk.ts";
import { syslog } from "./syslog/syslog.ts";

const drivers = new Map<string, LogDriver>(Object.entries({ awslogs, fluentd, gelf, journald, splunk, syslog }));

/** As `docker info` lists them. */
export const serverDriverNames: readonly string[] = [...drivers.keys()];

/** The driver of that name that sends lines to a server; undefined when there is none. */
export function serverDriver(name: string): LogDriver | undefined {
  return drivers.get(name);
}
