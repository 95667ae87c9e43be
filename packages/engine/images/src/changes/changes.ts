import { posix } from "node:path";
import type { HealthConfig, ImageConfig } from "@longshore/docker-api";
import {
  Expander,
  type Healthcheck,
  type Instruction,
  SourceError,
  WordError,
  parseInstruction,
  parseSource,
} from "@longshore/dockerfile";
import { InvalidArgument } from "@longshore/errdefs";
import { parseSignal } from "@longshore/go-values";
import { portsOf } from "./ports.ts";

/** The instructions that say something of a configuration, and so may change one. */
const allowed = new Set([
  ...["cmd", "entrypoint", "env", "expose", "healthcheck", "label", "onbuild", "stopsignal", "user", "volume"],
  "workdir",
]);

interface State {
  readonly config: ImageConfig;
  /** Whether one of these instructions gave a command. */
  commandGiven: boolean;
}

interface Expand {
  word(text: string): string;
  words(text: string): string[];
}

/**
 * Applies Dockerfile instructions (`--change` of commit and import) to a configuration, one after the other: the
 * variables that each of them may use are the configuration's as those before it have left them.
 * @returns a new configuration
 * @throws InvalidArgument in Docker's words: an instruction that is unknown, not allowed here or malformed
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  if (changes.length === 0) return config;
  try {
    const { statements, escape } = parseSource(changes.join("\n"));
    const other = statements.find(({ keyword }) => !allowed.has(keyword.toLowerCase()));
    if (other !== undefined) throw new InvalidArgument(`${other.keyword} is not a valid change command`);
    // Each step is done for all instructions before the next.
    const instructions = statements.map((statement) => parseInstruction(statement));
    const state: State = { config: { ...config }, commandGiven: false };
    const expander = new Expander({ escape });
    for (const instruction of instructions) {
      const variables = variablesOf(state.config);
      const lookup = (name: string): string | undefined => variables.get(name);
      apply(instruction, state, {
        word: (text) => expander.expand(text, lookup).text,
        words: (text) => expander.expand(text, lookup).words,
      });
    }
    return state.config;
  } catch (error) {
    if (error instanceof SourceError || error instanceof WordError) {
      throw new InvalidArgument(error.message, { cause: error });
    }
    throw error;
  }
}

function apply(instruction: Instruction, state: State, expand: Expand): void {
  const { config } = state;
  switch (instruction.kind) {
    case "cmd":
      config.Cmd = commandOf(config, instruction.command);
      if (instruction.command.values.length > 0) state.commandGiven = true;
      return;
    case "entrypoint":
      config.Entrypoint = instruction.command.values.length === 0 ? null : commandOf(config, instruction.command);
      if (!state.commandGiven) config.Cmd = null;
      return;
    case "env":
      config.Env = withVariables(config.Env ?? [], expandPairs(instruction.pairs, expand));
      return;
    case "expose": {
      const ports = instruction.ports.flatMap((word) => expand.words(word)).flatMap(portsOf);
      config.ExposedPorts = { ...config.ExposedPorts, ...toSet(ports) };
      return;
    }
    case "healthcheck":
      config.Healthcheck = healthOf(instruction.healthcheck);
      return;
    case "label":
      config.Labels = { ...config.Labels, ...Object.fromEntries(expandPairs(instruction.pairs, expand)) };
      return;
    case "onbuild":
      config.OnBuild = [...(config.OnBuild ?? []), instruction.expression];
      return;
    case "stopsignal": {
      const signal = expand.word(instruction.signal);
      parseSignal(signal);
      config.StopSignal = signal;
      return;
    }
    case "user":
      config.User = expand.word(instruction.user);
      return;
    case "volume": {
      const volumes = instruction.volumes.map((path) => expand.word(path));
      if (volumes.includes("")) throw new InvalidArgument("VOLUME specified can not be an empty string");
      config.Volumes = { ...config.Volumes, ...toSet(volumes) };
      return;
    }
    case "workdir": {
      const path = expand.word(instruction.path);
      if (path === "") throw new InvalidArgument("cannot normalize nothing");
      config.WorkingDir = posix.resolve("/", config.WorkingDir ?? "", path);
      return;
    }
    default:
      throw new InvalidArgument(`${instruction.keyword} is not a valid change command`);
  }
}

const keyOf = (variable: string): string => variable.split("=", 1)[0] ?? "";

/** The variables of a configuration, as they are now; one without a value is empty. */
function variablesOf(config: ImageConfig): Map<string, string> {
  return new Map((config.Env ?? []).map((variable) => [keyOf(variable), variable.slice(keyOf(variable).length + 1)]));
}

/** Those that are there keep their place, new ones come last. */
function withVariables(before: readonly string[], given: [key: string, value: string][]): string[] {
  const env = [...before];
  for (const [key, value] of given) {
    const position = env.findIndex((variable) => keyOf(variable) === key);
    env[position < 0 ? env.length : position] = `${key}=${value}`;
  }
  return env;
}

function expandPairs(pairs: { key: string; value: string }[], expand: Expand): [string, string][] {
  return pairs.map(({ key, value }) => [expand.word(key), expand.word(value)]);
}

/** The exec form as it is, the shell form behind the image's shell. */
function commandOf(config: ImageConfig, { shell, values }: { shell: boolean; values: string[] }): string[] {
  if (!shell) return values;
  return [...(config.Shell && config.Shell.length > 0 ? config.Shell : ["/bin/sh", "-c"]), ...values];
}

/** Durations in nanoseconds; what is not given has no member. */
function healthOf({ test, interval, timeout, startPeriod, startInterval, retries }: Healthcheck): HealthConfig {
  const given = {
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
  return { Test: test, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== 0)) };
}

const toSet = (names: readonly string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.map((name) => [name, {}]));
