import type { ContainerConfig, ImageConfig } from "@longshore/api";

const isEmpty = (value: readonly unknown[] | object | string | null | undefined): boolean =>
  value === null || value === undefined || (typeof value === "string" ? value === "" : Object.keys(value).length === 0);

/** The part of a container's configuration that an image has, without what is empty. */
export function imageConfigOf(config: Partial<ContainerConfig>): ImageConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck, OnBuild, Shell } = config;
  const members = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck, OnBuild, Shell };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value))) as ImageConfig;
}

const keyOf = (variable: string): string => variable.split("=", 1)[0] ?? "";

/**
 * Fills in what `config` leaves open from `base`: lists and maps are joined, `config` wins; the
 * base's command only stays with its own entrypoint.
 */
export function mergeConfig(config: ImageConfig, base: ImageConfig): ImageConfig {
  const own = config.Env ?? [];
  const inherited = (base.Env ?? []).filter((variable) => !own.some((mine) => keyOf(mine) === keyOf(variable)));
  const merged: ImageConfig = { ...base, ...imageConfigOf(config as Partial<ContainerConfig>) };
  const env = [...own, ...inherited];
  if (env.length > 0) merged.Env = env;
  if (!isEmpty(base.ExposedPorts)) merged.ExposedPorts = { ...base.ExposedPorts, ...config.ExposedPorts };
  if (!isEmpty(base.Volumes)) merged.Volumes = { ...base.Volumes, ...config.Volumes };
  if (!isEmpty(base.Labels)) merged.Labels = { ...base.Labels, ...config.Labels };
  if (!isEmpty(config.Entrypoint)) {
    if (isEmpty(config.Cmd)) delete merged.Cmd;
  } else if (!isEmpty(base.Entrypoint) && isEmpty(config.Cmd) && !isEmpty(base.Cmd)) {
    merged.Cmd = base.Cmd ?? null;
  }
  return merged;
}
