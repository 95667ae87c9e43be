import { posix } from "node:path";
import type { ImageConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import { execForm } from "./exec-form.ts";
import { Expander, type Lookup } from "./expand.ts";
import { refuseFlags } from "./flags.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { type Instruction, blanks, instructionOf, parseInstructions } from "./parse.ts";
import { portsOf } from "./ports.ts";
import { isSignal } from "./signals.ts";
import { type EscapeToken, splitWords } from "./words.ts";

/** What an instruction does to a configuration, with the variables that it has before. */
type Change = (state: State, expand: Expand) => void;

interface State {
  readonly config: ImageConfig;
  /** Whether one of these instructions gave a command. */
  commandGiven: boolean;
}

interface Expand {
  word(text: string): string;
  words(text: string): string[];
}

const atLeastOne = (name: string): InvalidArgument => new InvalidArgument(`${name} requires at least one argument`);
const exactlyOne = (name: string): InvalidArgument => new InvalidArgument(`${name} requires exactly one argument`);
const keyOf = (variable: string): string => variable.split("=", 1)[0] ?? "";

/** The variables of a configuration, as they are now; one without a value is empty. */
function lookupIn(config: ImageConfig): Lookup {
  const variables = new Map(
    (config.Env ?? []).map((variable) => [keyOf(variable), variable.slice(keyOf(variable).length + 1)]),
  );
  return (name) => variables.get(name);
}

/** `name=value name=value`, or the older `name value`; not yet expanded. */
function pairs(name: string, text: string, escape: EscapeToken): [string, string][] {
  const words = splitWords(text, escape);
  const [first = ""] = words;
  if (words.length > 0 && !first.includes("=")) {
    const gap = blanks.exec(text);
    if (gap === null) throw new InvalidArgument(`${name} must have two arguments`);
    return [[text.slice(0, gap.index), text.slice(gap.index + gap[0].length)]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0)
      throw new InvalidArgument(
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function checkedPairs(name: string, given: readonly [string, string][]): readonly [string, string][] {
  if (given.length === 0) throw atLeastOne(name);
  if (given.some(([key]) => key === "")) throw new InvalidArgument(`${name} names can not be blank`);
  return given;
}

const toSet = (names: readonly string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(names.map((name) => [name, {}]));

/** The exec form as it is, the shell form behind the image's shell. */
function commandOf(config: ImageConfig, exec: string[] | undefined, text: string): string[] {
  if (exec !== undefined) return exec;
  const shell = config.Shell && config.Shell.length > 0 ? config.Shell : ["/bin/sh", "-c"];
  return text === "" ? [...shell] : [...shell, text];
}

/** Sees to the syntax at once, then to the arguments, and gives what is to be done. Each step is done for all instructions before the next. */
type Reader = (instruction: Instruction, escape: EscapeToken) => () => Change;

/** One argument that is the whole text. */
function single(name: string, flags: "refused" | "ignored", set: (state: State, value: string) => void): Reader {
  return (instruction) => () => {
    if (instruction.text === "") throw exactlyOne(name);
    if (flags === "refused") refuseFlags(instruction);
    return (state, expand) => set(state, expand.word(instruction.text));
  };
}

const readers: Record<string, Reader> = {
  CMD: (instruction) => {
    const exec = execForm(instruction.text);
    return () => {
      refuseFlags(instruction);
      return (state) => {
        state.config.Cmd = commandOf(state.config, exec, instruction.text);
        if (exec === undefined ? instruction.text !== "" : exec.length > 0) state.commandGiven = true;
      };
    };
  },
  ENTRYPOINT: (instruction) => {
    const exec = execForm(instruction.text);
    return () => {
      refuseFlags(instruction);
      return (state) => {
        const isEmpty = exec === undefined ? instruction.text === "" : exec.length === 0;
        state.config.Entrypoint = isEmpty ? null : commandOf(state.config, exec, instruction.text);
        if (!state.commandGiven) state.config.Cmd = null;
      };
    };
  },
  ENV: (instruction, escape) => {
    const given = pairs("ENV", instruction.text, escape);
    return () => {
      refuseFlags(instruction);
      checkedPairs("ENV", given);
      return ({ config }, expand) => {
        const env = [...(config.Env ?? [])];
        for (const [key, value] of given.map(([left, right]): [string, string] => [
          expand.word(left),
          expand.word(right),
        ])) {
          const position = env.findIndex((variable) => keyOf(variable) === key);
          if (position < 0) env.push(`${key}=${value}`);
          else env[position] = `${key}=${value}`;
        }
        config.Env = env;
      };
    };
  },
  EXPOSE: (instruction) => () => {
    if (instruction.text === "") throw atLeastOne("EXPOSE");
    refuseFlags(instruction);
    return ({ config }, expand) => {
      const words = instruction.text
        .split(blanks)
        .toSorted()
        .flatMap((word) => expand.words(word));
      config.ExposedPorts = { ...config.ExposedPorts, ...toSet(words.flatMap(portsOf)) };
    };
  },
  LABEL: (instruction, escape) => {
    const given = pairs("LABEL", instruction.text, escape);
    return () => {
      refuseFlags(instruction);
      checkedPairs("LABEL", given);
      return ({ config }, expand) => {
        config.Labels = {
          ...config.Labels,
          ...Object.fromEntries(given.map(([key, value]) => [expand.word(key), expand.word(value)])),
        };
      };
    };
  },
  ONBUILD: (instruction, escape) => {
    const trigger = instruction.text === "" ? undefined : instructionOf(instruction.text, escape);
    // Its syntax is that of the instruction that it holds back.
    if (trigger !== undefined) readTrigger(trigger, escape);
    return () => {
      if (trigger === undefined) throw atLeastOne("ONBUILD");
      refuseFlags(instruction);
      const name = trigger.name.toUpperCase();
      if (name === "ONBUILD") throw new InvalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
      if (name === "MAINTAINER" || name === "FROM")
        throw new InvalidArgument(`${name} isn't allowed as an ONBUILD trigger`);
      return ({ config }) => {
        config.OnBuild = [...(config.OnBuild ?? []), instruction.line.replace(/^\s*onbuild\s*/i, "")];
      };
    };
  },
  USER: single("USER", "refused", ({ config }, user) => {
    config.User = user;
  }),
  VOLUME: (instruction) => {
    const given = execForm(instruction.text) ?? (instruction.text === "" ? [] : instruction.text.split(blanks));
    const empty = new InvalidArgument("VOLUME specified can not be an empty string");
    return () => {
      if (given.length === 0) throw atLeastOne("VOLUME");
      refuseFlags(instruction);
      if (given.some((path) => path.trim() === "")) throw empty;
      return ({ config }, expand) => {
        const paths = given.map((path) => expand.word(path.trim()));
        if (paths.includes("")) throw empty;
        config.Volumes = { ...config.Volumes, ...toSet(paths) };
      };
    };
  },
  WORKDIR: single("WORKDIR", "refused", ({ config }, path) => {
    if (path === "") throw new InvalidArgument("cannot normalize nothing");
    config.WorkingDir = posix.resolve("/", config.WorkingDir ?? "", path);
  }),
  STOPSIGNAL: single("STOPSIGNAL", "ignored", ({ config }, signal) => {
    if (!isSignal(signal)) throw new InvalidArgument(`invalid signal: ${signal}`);
    config.StopSignal = signal;
  }),
  HEALTHCHECK: (instruction) => {
    const [type = ""] = instruction.text.split(/\s+/, 1);
    const command = instruction.text.slice(type.length).trim();
    const exec = execForm(command);
    return () => {
      const health = parseHealthcheck(instruction, { type, command, exec });
      return ({ config }) => {
        config.Healthcheck = health;
      };
    };
  },
};

function readTrigger(trigger: Instruction, escape: EscapeToken): void {
  const name = trigger.name.toUpperCase();
  if (name === "ENV" || name === "LABEL") pairs(name, trigger.text, escape);
  else if (["ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"].includes(name)) execForm(trigger.text);
}

/**
 * Applies Dockerfile instructions (`--change` of commit and import) to a configuration, one after the other: the
 * variables that each of them may use are the configuration's as those before it have left them.
 * @returns a new configuration
 * @throws InvalidArgument in Docker's words: an instruction that is unknown, not allowed here or malformed
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  if (changes.length === 0) return config;
  const { instructions, escape } = parseInstructions(changes.join("\n"));
  const read = instructions.map((instruction) => {
    const name = instruction.name.toUpperCase();
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader !== undefined) return reader(instruction, escape);
    readTrigger(instruction, escape);
    return instruction.name;
  });
  const checks = read.map((each) => {
    if (typeof each === "string") throw new InvalidArgument(`${each} is not a valid change command`);
    return each;
  });
  const state: State = { config: { ...config }, commandGiven: false };
  const expander = new Expander(escape);
  for (const change of checks.map((check) => check())) {
    const lookup = lookupIn(state.config);
    change(state, { word: (text) => expander.word(text, lookup), words: (text) => expander.words(text, lookup) });
  }
  return state.config;
}
