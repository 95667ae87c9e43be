import { addon } from "../addon.ts";

const native = addon as {
  spawn(file: string, argv: string[], env: string[], cwd: string | null, fds: number[], options: number): number;
};

export interface SpawnOptions {
  /** argv[0] included; default: the file alone. */
  argv?: readonly string[];
  /** The whole environment; default: this process's own. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** Descriptor i of the child; -1 stands for /dev/null. Default: all three standard ones /dev/null. */
  fds?: readonly number[];
  /** A process group of its own. */
  setpgid?: boolean;
  /** A session of its own. */
  setsid?: boolean;
}

/**
 * Starts a process (posix_spawn, signals reset to their defaults, PATH searched) and returns its
 * pid. Nobody waits for it but the caller. A file that cannot be executed throws its errno.
 */
export function spawn(file: string, options: SpawnOptions = {}): number {
  const env = Object.entries(options.env ?? process.env).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  const flags = (options.setpgid === true ? 1 : 0) | (options.setsid === true ? 2 : 0);
  return native.spawn(
    file,
    [...(options.argv ?? [file])],
    env,
    options.cwd ?? null,
    [...(options.fds ?? [-1, -1, -1])],
    flags,
  );
}
