import type { HealthConfig } from "@longshore/api";
import { InvalidArgument } from "@longshore/errdefs";
import { parseDuration } from "./duration.ts";
import { execForm } from "./words.ts";

const durations: Record<string, "Interval" | "Timeout" | "StartPeriod" | "StartInterval"> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

function applyFlag(health: HealthConfig, flag: string): void {
  const equals = flag.indexOf("=");
  const name = equals < 0 ? flag : flag.slice(0, equals);
  const value = equals < 0 ? "" : flag.slice(equals + 1);
  const member = Object.hasOwn(durations, name) ? durations[name] : undefined;
  if (member !== undefined) {
    const duration = parseDuration(value);
    if (duration !== 0 && duration < 1e6) throw new InvalidArgument(`interval ${JSON.stringify(name)} cannot be less than 1ms`);
    health[member] = duration;
  } else if (name === "retries") {
    if (!/^-?\d+$/.test(value)) throw new InvalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    if (Number(value) < 0) throw new InvalidArgument(`--retries cannot be negative (${value})`);
    health.Retries = Number(value);
  } else {
    throw new InvalidArgument(`unknown flag: --${name}`);
  }
}

/** The health check of `HEALTHCHECK [--flags] CMD … | NONE`. @throws InvalidArgument in Docker's words */
export function parseHealthcheck(text: string): HealthConfig {
  let rest = text.trim();
  const health: HealthConfig = {};
  for (let flag = /^--(\S+)\s*/.exec(rest); flag !== null; flag = /^--(\S+)\s*/.exec(rest)) {
    applyFlag(health, flag[1] ?? "");
    rest = rest.slice(flag[0].length);
  }
  if (rest === "") throw new InvalidArgument("HEALTHCHECK requires at least one argument");
  const [type = ""] = rest.split(/\s+/, 1);
  const command = rest.slice(type.length).trim();
  switch (type.toUpperCase()) {
    case "NONE":
      if (command !== "") throw new InvalidArgument("HEALTHCHECK NONE takes no arguments");
      return { Test: ["NONE"] };
    case "CMD": {
      if (command === "") throw new InvalidArgument("Missing command after HEALTHCHECK CMD");
      const exec = execForm(command);
      return { ...health, Test: exec === undefined ? ["CMD-SHELL", command] : ["CMD", ...exec] };
    }
    default:
      throw new InvalidArgument(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
}
