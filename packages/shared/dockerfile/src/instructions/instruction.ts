import type { Pair } from "../source/arguments.ts";
import type { Lines } from "../source/source-error.ts";

/** What every instruction has. */
export interface Common {
  /** As written: `run`, `RUN`. */
  keyword: string;
  /** The instruction as written, its lines joined: what the progress shows. */
  code: string;
  lines: Lines;
  comments: string[];
}

/** `[command, …]`, or one text for the stage's shell. */
export interface CommandLine {
  values: string[];
  /** Text is given to the stage's shell. */
  shell: boolean;
  /** Here-documents: the script itself, or files named in it. */
  files: InlineFile[];
}

interface InlineFile {
  name: string;
  content: string;
  chomp: boolean;
}

/** A here-document as a source of `COPY` and `ADD`. */
export interface InlineSource {
  path: string;
  content: string;
  expand: boolean;
}

interface Copying {
  sources: string[];
  inline: InlineSource[];
  destination: string;
  chown: string;
  chmod: string;
  link: boolean;
  exclude: string[];
}

interface AddInstruction extends Common, Copying {
  kind: "add";
  /** Undefined: as the kind of the source has it. */
  keepGitDir: boolean | undefined;
  checksum: string;
  unpack: boolean | undefined;
}

interface CopyInstruction extends Common, Copying {
  kind: "copy";
  from: string;
  parents: boolean;
}

interface Argument {
  name: string;
  /** Undefined if only declared. */
  value: string | undefined;
  /** What the comment above says of it. */
  description: string;
}

interface ArgInstruction extends Common {
  kind: "arg";
  arguments: Argument[];
}

interface RunInstruction extends Common {
  kind: "run";
  command: CommandLine;
  /** The texts of `--mount`: their variables are expanded in the stage. */
  mounts: string[];
  network: "default" | "none" | "host";
  security: "sandbox" | "insecure";
  devices: Device[];
  /** The names of the flags that were given. */
  flagsUsed: string[];
}

export interface Device {
  name: string;
  required: boolean;
}

/** Durations in nanoseconds, as images have them. */
export interface Healthcheck {
  test: string[];
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  retries: number;
}

export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CopyInstruction
  | RunInstruction
  | (Common & { kind: "cmd" | "entrypoint"; command: CommandLine })
  | (Common & { kind: "env" | "label"; pairs: Pair[] })
  | (Common & { kind: "expose"; ports: string[] })
  | (Common & { kind: "healthcheck"; healthcheck: Healthcheck })
  | (Common & { kind: "maintainer"; maintainer: string })
  | (Common & { kind: "onbuild"; expression: string })
  | (Common & { kind: "shell"; shell: string[] })
  | (Common & { kind: "stopsignal"; signal: string })
  | (Common & { kind: "user"; user: string })
  | (Common & { kind: "volume"; volumes: string[] })
  | (Common & { kind: "workdir"; path: string });

/** `FROM` and what follows up to the next one. */
export interface Stage extends Common {
  /** In lower case; empty if it has none. */
  name: string;
  base: string;
  /** The text of `--platform`. */
  platform: string;
  description: string;
  instructions: Instruction[];
}
