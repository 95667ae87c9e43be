import type { ContainerConfig, HealthConfig, ImageConfig } from "@longshore/docker-api";

const isEmpty = (value: readonly unknown[] | object | string | null | undefined): boolean =>
  value === null || value === undefined || (typeof value === "string" ? value === "" : Object.keys(value).length === 0);

/** The part of a container's configuration that an image has. */
export function imageConfigOf(config: Partial<ContainerConfig>): ImageConfig {
  const {
    User,
    ExposedPorts,
    Env,
    Entrypoint,
    Cmd,
    Volumes,
    WorkingDir,
    Labels,
    StopSignal,
    Healthcheck,
    OnBuild,
    Shell,
  } = config;
  const members = {
    User,
    ExposedPorts,
    Env,
    Entrypoint,
    Cmd,
    Volumes,
    WorkingDir,
    Labels,
    StopSignal,
    Healthcheck,
    OnBuild,
    Shell,
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as ImageConfig;
}

/** A configuration without its empty members, as it is written. */
export function withoutEmpty(config: ImageConfig): ImageConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value as object))) as ImageConfig;
}

const keyOf = (variable: string): string => variable.split("=", 1)[0] ?? "";

/**
 * Fills in what `config` leaves open from `base`: lists and maps are joined, `config` wins, new variables come
 * first; the base's command only stays with its own entrypoint. An entrypoint that is an empty list, not none, stays so.
 */
export function mergeConfig(config: ImageConfig, base: ImageConfig): ImageConfig {
  const own = config.Env ?? [];
  const inherited = (base.Env ?? []).filter((variable) => !own.some((mine) => keyOf(mine) === keyOf(variable)));
  const noEntrypoint = isEmpty(config.Entrypoint);
  return {
    ...config,
    User: config.User || (base.User ?? ""),
    Env: [...own, ...inherited],
    ExposedPorts: { ...base.ExposedPorts, ...config.ExposedPorts },
    Volumes: { ...base.Volumes, ...config.Volumes },
    Labels: { ...base.Labels, ...config.Labels },
    Cmd: noEntrypoint && isEmpty(config.Cmd) ? (base.Cmd ?? null) : (config.Cmd ?? null),
    Entrypoint: config.Entrypoint ?? base.Entrypoint ?? null,
    Healthcheck: mergeHealth(config.Healthcheck, base.Healthcheck),
    WorkingDir: config.WorkingDir || (base.WorkingDir ?? ""),
    StopSignal: config.StopSignal || (base.StopSignal ?? ""),
  };
}

function mergeHealth(own: HealthConfig | null | undefined, base: HealthConfig | null | undefined): HealthConfig | null {
  const given = Object.entries(own ?? {}).filter(
    ([, value]) => value !== 0 && !isEmpty(typeof value === "number" ? String(value) : value),
  );
  return isEmpty(own) && isEmpty(base) ? (own ?? base ?? null) : { ...base, ...Object.fromEntries(given) };
}
