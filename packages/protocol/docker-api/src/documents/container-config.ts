import {
  bool,
  command,
  type Document,
  duration,
  empty,
  type Infer,
  int,
  leftOut,
  list,
  manyWords,
  map,
  struct,
  text,
} from "@longshore/go-json";

/** The ports of TCP, UDP and SCTP. */
export const everyPort = 3 * 65_535;

/** A set of strings as Go's JSON writes it: keys with empty objects. */
const set = map(empty);

/** Durations in nanoseconds; 0 or absent: inherited, then the default. */
const healthConfig = struct("container.HealthConfig", {
  Test: leftOut(list(text)),
  Interval: leftOut(duration),
  Timeout: leftOut(duration),
  StartPeriod: leftOut(duration),
  StartInterval: leftOut(duration),
  Retries: leftOut(int),
});

/** In the order in which Docker writes the members. */
export const containerConfigFields = {
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: leftOut(map(empty, undefined, everyPort)),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: list(text, undefined, manyWords),
  Cmd: command,
  Healthcheck: leftOut(healthConfig),
  ArgsEscaped: leftOut(bool),
  Image: text,
  Volumes: set,
  WorkingDir: text,
  Entrypoint: command,
  NetworkDisabled: leftOut(bool),
  MacAddress: leftOut(text),
  OnBuild: list(text),
  Labels: map(text),
  StopSignal: leftOut(text),
  /** Seconds; negative waits for ever. */
  StopTimeout: leftOut(int),
  Shell: leftOut(command),
};

export const containerConfigShape = struct("container.Config", containerConfigFields);

export type StringSet = NonNullable<Document<typeof set>>;
export type HealthConfig = Document<typeof healthConfig>;
/** Absent members are those that Docker leaves out when empty; `null` is an empty list or map. */
export type ContainerConfig = Document<typeof containerConfigShape>;
/** As a body asks for it. */
export type ContainerConfigRequest = Infer<typeof containerConfigShape>;
