import type { Logger } from "@longshore/logger";
import type { Config } from "./config.ts";
import { maskCredentials } from "./mask.ts";

const variables = { httpProxy: "HTTP_PROXY", httpsProxy: "HTTPS_PROXY", noProxy: "NO_PROXY" } as const;

export type ProxyConfig = Pick<Config, keyof typeof variables>;

/** The proxies in force: those of the configuration, else of the environment. */
export function proxiesOf(
  config: ProxyConfig,
  environment: NodeJS.ProcessEnv = process.env,
): { http: string; https: string; no: string } {
  const of = (kind: keyof typeof variables): string =>
    config[kind] || (environment[variables[kind]] ?? "") || (environment[variables[kind].toLowerCase()] ?? "");
  return { http: of("httpProxy"), https: of("httpsProxy"), no: of("noProxy") };
}

/** Has the process and its children use the configured proxies, as dockerd does by its environment. */
export function setProxies(config: ProxyConfig, log: Logger, environment: NodeJS.ProcessEnv = process.env): void {
  for (const [kind, name] of Object.entries(variables)) {
    const value = config[kind as keyof typeof variables];
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
