import type { HealthConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { parseDuration } from "./duration.ts";
import { flagValues } from "./flags.ts";
import type { Instruction } from "./parse.ts";

const durations = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;
const maxInt32 = 2 ** 31 - 1;

/** Nanoseconds; 0, as none, for the default. */
function durationOf(name: string, value: string): number {
  if (value === "") return 0;
  const duration = parseDuration(value);
  if (duration !== 0 && duration < 1e6)
    throw new InvalidArgument(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return duration;
}

function retriesOf(value: string): number {
  if (value === "") return 0;
  if (!/^[+-]?\d+$/.test(value))
    throw new InvalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const retries = Number(value);
  if (Math.abs(retries) > maxInt32)
    throw new InvalidArgument(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  if (retries < 0) throw new InvalidArgument(`--retries cannot be negative (${retries})`);
  return retries;
}

/**
 * The health check of `HEALTHCHECK [--flags] CMD … | NONE`.
 * @param exec the command's words in exec form
 * @throws InvalidArgument in Docker's words
 */
export function parseHealthcheck(
  instruction: Instruction,
  { type, command, exec }: { type: string; command: string; exec: string[] | undefined },
): HealthConfig {
  if (type === "") throw new InvalidArgument("HEALTHCHECK requires at least one argument");
  if (type.toUpperCase() === "NONE") {
    if (command !== "") throw new InvalidArgument("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  const flags = flagValues(instruction, [...Object.keys(durations), "retries"]);
  if (type.toUpperCase() !== "CMD")
    throw new InvalidArgument(`Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`);
  if (exec === undefined ? command === "" : exec.length === 0)
    throw new InvalidArgument("Missing command after HEALTHCHECK CMD");
  const health: HealthConfig = { Test: exec === undefined ? ["CMD-SHELL", command] : ["CMD", ...exec] };
  for (const [name, member] of Object.entries(durations)) {
    const duration = durationOf(name, flags.get(name) ?? "");
    if (duration !== 0) health[member] = duration;
  }
  const retries = retriesOf(flags.get("retries") ?? "");
  if (retries !== 0) health.Retries = retries;
  return health;
}
