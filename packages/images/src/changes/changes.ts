import { posix } from "node:path";
import type { ImageConfig } from "@longshore/api";
import { InvalidArgument } from "@longshore/errdefs";
import { parseHealthcheck } from "./healthcheck.ts";
import { portsOf } from "./ports.ts";
import { isSignal } from "./signals.ts";
import { type Lookup, execForm, expandWord, splitWords } from "./words.ts";

/** One instruction applied: changes the configuration in place. */
type Instruction = (config: ImageConfig, text: string) => void;

const atLeastOne = (name: string): InvalidArgument => new InvalidArgument(`${name} requires at least one argument`);
const exactlyOne = (name: string): InvalidArgument => new InvalidArgument(`${name} requires exactly one argument`);

/** Variables of the configuration itself are what `$NAME` stands for. */
function lookupIn(config: ImageConfig): Lookup {
  return (name) => config.Env?.findLast((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** `name=value name=value`, or the older `name value`. */
function pairs(name: string, config: ImageConfig, text: string): [string, string][] {
  if (text === "") throw atLeastOne(name);
  const lookup = lookupIn(config);
  const words = splitWords(text);
  const [first = ""] = words;
  if (!first.includes("=")) {
    const value = text.slice(first.length).trim();
    if (value === "") throw new InvalidArgument(`${name} must have two arguments`);
    return [[expandWord(first, lookup), expandWord(value, lookup)]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0) throw new InvalidArgument(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    const key = expandWord(word.slice(0, equals), lookup);
    if (key === "") throw new InvalidArgument(`${name} names can not be blank`);
    return [key, expandWord(word.slice(equals + 1), lookup)];
  });
}

/** The exec form as it is, the shell form behind the image's shell. */
function commandOf(config: ImageConfig, text: string): string[] {
  const exec = execForm(text);
  if (exec !== undefined) return exec;
  const shell = config.Shell ?? ["/bin/sh", "-c"];
  return text === "" ? shell : [...shell, text];
}

function one(name: string, config: ImageConfig, text: string): string {
  if (text === "") throw exactlyOne(name);
  return expandWord(text, lookupIn(config));
}

const instructions: Record<string, Instruction> = {
  CMD: (config, text) => {
    config.Cmd = commandOf(config, text);
  },
  ENTRYPOINT: (config, text) => {
    config.Entrypoint = execForm(text)?.length === 0 ? null : commandOf(config, text);
  },
  ENV: (config, text) => {
    const env = [...(config.Env ?? [])];
    for (const [key, value] of pairs("ENV", config, text)) {
      const position = env.findIndex((variable) => variable.startsWith(`${key}=`));
      if (position < 0) env.push(`${key}=${value}`);
      else env[position] = `${key}=${value}`;
    }
    config.Env = env;
  },
  EXPOSE: (config, text) => {
    if (text === "") throw atLeastOne("EXPOSE");
    const words = splitWords(text).map((word) => expandWord(word, lookupIn(config)));
    const ports = words.flatMap(portsOf).map((port): [string, Record<string, never>] => [port, {}]);
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports) };
  },
  LABEL: (config, text) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs("LABEL", config, text)) };
  },
  ONBUILD: (config, text) => {
    if (text === "") throw atLeastOne("ONBUILD");
    const trigger = (text.split(/\s+/, 1)[0] ?? "").toUpperCase();
    if (trigger === "ONBUILD") throw new InvalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (trigger === "MAINTAINER" || trigger === "FROM") throw new InvalidArgument(`${trigger} isn't allowed as an ONBUILD trigger`);
    config.OnBuild = [...(config.OnBuild ?? []), text];
  },
  USER: (config, text) => {
    config.User = one("USER", config, text);
  },
  VOLUME: (config, text) => {
    if (text === "") throw atLeastOne("VOLUME");
    const paths = execForm(text) ?? splitWords(text).map((word) => expandWord(word, lookupIn(config)));
    if (paths.some((path) => path.trim() === "")) throw new InvalidArgument("VOLUME specified can not be an empty string");
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path): [string, Record<string, never>] => [path.trim(), {}])) };
  },
  WORKDIR: (config, text) => {
    config.WorkingDir = posix.resolve("/", config.WorkingDir ?? "", one("WORKDIR", config, text));
  },
  STOPSIGNAL: (config, text) => {
    const signal = one("STOPSIGNAL", config, text);
    if (!isSignal(signal)) throw new InvalidArgument(`invalid signal: ${signal}`);
    config.StopSignal = signal;
  },
  HEALTHCHECK: (config, text) => {
    config.Healthcheck = parseHealthcheck(text);
  },
};

/** Instructions of a text: comments and empty lines are none, a backslash at the end joins lines. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  let pending = "";
  for (const raw of text.split(/\r?\n/)) {
    if (/^\s*(#|$)/.test(raw)) continue;
    const joined = /\\[ \t]*$/.exec(raw);
    pending += joined === null ? raw : raw.slice(0, joined.index);
    if (joined !== null) continue;
    lines.push(pending.trim());
    pending = "";
  }
  if (pending.trim() !== "") lines.push(pending.trim());
  return lines;
}

/**
 * Applies Dockerfile instructions (`--change` of commit and import) to a configuration.
 * @returns a new configuration
 * @throws InvalidArgument in Docker's words: an instruction that is unknown, not allowed here or malformed
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  const result = { ...config };
  for (const change of changes) {
    const lines = linesOf(change);
    if (lines.length === 0) throw new InvalidArgument("file with no instructions");
    for (const line of lines) {
      const [word = ""] = line.split(/\s+/, 1);
      const name = word.toUpperCase();
      const instruction = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
      if (instruction === undefined) throw new InvalidArgument(`${name} is not a valid change command`);
      instruction(result, line.slice(word.length).trim());
    }
  }
  return result;
}
