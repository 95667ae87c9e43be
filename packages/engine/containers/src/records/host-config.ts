import { type HostConfig, hostConfigShape, restartPolicyShape } from "@longshore/docker-api";
import {
  integer,
  listOf,
  nullable,
  oneOf,
  optional,
  type Reader,
  recordOf,
  required,
  text,
  tupleOf,
} from "@longshore/records";
import { mount } from "./mount.ts";

/** `name:alias`, or a name alone. */
const link = required(text, (given) => (/^[^:]+(:[^:]+)?$/.test(given) ? undefined : "is no link"));

const read: Reader<HostConfig> = recordOf(hostConfigShape, {
  RestartPolicy: recordOf(restartPolicyShape, { Name: oneOf("", "no", "always", "unless-stopped", "on-failure") }),
  ConsoleSize: tupleOf(integer({ min: 0 })),
  CgroupnsMode: oneOf("", "private", "host"),
  Links: nullable(listOf(link)),
  ShmSize: integer({ min: 0 }),
  Isolation: oneOf("", "default", "process", "hyperv"),
  Mounts: optional(listOf(mount)),
});

/** hostconfig.json. Of older engines: without a network it is the default one's, without a log driver it has Docker's own. */
export const hostConfigRecord: Reader<HostConfig> = (value, at) => {
  const config = read(value, at);
  if (config.NetworkMode === "" || config.NetworkMode === "default") config.NetworkMode = "bridge";
  if (config.LogConfig.Type === "") config.LogConfig.Type = "json-file";
  return config;
};
