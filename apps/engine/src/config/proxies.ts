import type { Logger } from "@longshore/logger";
import type { Config } from "./config.ts";

/** A URL without the name and the password in it. */
export function maskCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1xxxxx:xxxxx@");
}

const variables = { http: "HTTP_PROXY", https: "HTTPS_PROXY", no: "NO_PROXY" } as const;

/** The proxies in force: those of the configuration, else of the environment. */
export function proxiesOf(
  { proxies }: Pick<Config, "proxies">,
  environment: NodeJS.ProcessEnv = process.env,
): Config["proxies"] {
  const of = (kind: keyof typeof variables): string =>
    proxies[kind] || (environment[variables[kind]] ?? "") || (environment[variables[kind].toLowerCase()] ?? "");
  return { http: of("http"), https: of("https"), no: of("no") };
}

/** Has the process and its children use the configured proxies, as dockerd does by its environment. */
export function setProxies(
  { proxies }: Pick<Config, "proxies">,
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
): void {
  for (const [kind, name] of Object.entries(variables)) {
    const value = proxies[kind as keyof typeof variables];
    if (value === "") continue;
    for (const variable of [name, name.toLowerCase()]) {
      const before = environment[variable] ?? "";
      if (before !== "" && before !== value)
        log.warn(
          { name: variable, "old-value": maskCredentials(before), "new-value": maskCredentials(value) },
          "overriding existing proxy variable with value from configuration",
        );
      environment[variable] = value;
    }
  }
}
