/** PATH of a container whose image does not set one. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Overrides variables by name and appends the others; a word without `=` removes the variable.
 * Only `defaults` are overridden: a name that comes twice among `overrides` stays twice.
 */
export function overrideEnvironment(defaults: readonly string[], overrides: readonly string[]): string[] {
  const env: (string | undefined)[] = [...defaults];
  const positions = new Map(defaults.map((variable, index) => [nameOf(variable), index]));
  for (const variable of overrides) {
    const position = positions.get(nameOf(variable));
    if (variable.includes("=")) {
      if (position === undefined) env.push(variable);
      else env[position] = variable;
    } else if (position !== undefined) {
      env[position] = undefined;
    }
  }
  return env.filter((variable) => variable !== undefined);
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}

/** The environment of a container's first process, or of an exec when `configured` is the exec's. */
export function createEnvironment(options: {
  hostname: string;
  tty: boolean;
  linkEnv: readonly string[];
  configured: readonly string[];
}): string[] {
  const defaults = [`PATH=${defaultPath}`, `HOSTNAME=${options.hostname}`];
  if (options.tty) defaults.push("TERM=xterm");
  return overrideEnvironment([...defaults, ...options.linkEnv], options.configured);
}
