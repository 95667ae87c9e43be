import { parseDuration, parseInteger, quoteText } from "@longshore/go-values";
import type { Statement } from "../source/statement.ts";
import { valuesOf } from "./common.ts";
import { readFlags } from "./flags.ts";
import type { Healthcheck } from "./instruction.ts";

const millisecond = 1_000_000;

/** `HEALTHCHECK [flags] CMD … | NONE`. */
export function healthcheckOf(statement: Statement): Healthcheck {
  const { arguments: given } = statement;
  if (given.form !== "health") throw new Error("HEALTHCHECK requires at least one argument");
  const type = given.type.toUpperCase();
  const command = valuesOf(given.test);
  const zero = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
  if (type === "NONE") {
    if (command.length > 0) throw new Error("HEALTHCHECK NONE takes no arguments");
    return { test: ["NONE"], ...zero };
  }
  const flags = readFlags(statement.flags, {
    interval: "string",
    timeout: "string",
    "start-period": "string",
    "start-interval": "string",
    retries: "string",
  });
  if (type !== "CMD") throw new Error(`Unknown type ${quoteText(type)} in HEALTHCHECK (try CMD)`);
  if (command.length === 0) throw new Error("Missing command after HEALTHCHECK CMD");
  const duration = (name: "interval" | "timeout" | "start-period" | "start-interval"): number => {
    const value = flags[name] ?? "";
    const nanoseconds = value === "" ? 0 : parseDuration(value);
    if (nanoseconds !== 0 && nanoseconds < millisecond) {
      throw new Error(`Interval ${quoteText(name)} cannot be less than 1ms`);
    }
    return nanoseconds;
  };
  return {
    test: [given.test.form === "exec" ? "CMD" : "CMD-SHELL", ...command],
    interval: duration("interval"),
    timeout: duration("timeout"),
    startPeriod: duration("start-period"),
    startInterval: duration("start-interval"),
    retries: retriesOf(flags.retries ?? ""),
  };
}

function retriesOf(text: string): number {
  if (text === "") return 0;
  const retries = parseInteger(text, "ParseInt", 32);
  if (retries < 0) throw new Error(`--retries cannot be negative (${retries})`);
  return retries;
}
