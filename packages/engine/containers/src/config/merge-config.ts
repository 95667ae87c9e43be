import type { ContainerConfig, ImageConfig } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";

/** A configuration as a client sent it, with every member that Docker always shows. */
export function completeConfig(given: Partial<ContainerConfig>): ContainerConfig {
  return {
    Hostname: "",
    Domainname: "",
    User: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: null,
    Cmd: null,
    Image: "",
    Volumes: null,
    WorkingDir: "",
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
    ...given,
  };
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}

function isEmpty(list: readonly unknown[] | null | undefined): boolean {
  return list === null || list === undefined || list.length === 0;
}

/**
 * Fills in what the image says and the client did not: variables by name, ports, volumes and
 * labels by key, the command only when no entrypoint was given, the health check member by member.
 */
export function mergeImageConfig(config: ContainerConfig, image: Partial<ImageConfig>): void {
  if (config.User === "") config.User = image.User ?? "";
  if (Object.keys(image.ExposedPorts ?? {}).length > 0)
    config.ExposedPorts = { ...image.ExposedPorts, ...config.ExposedPorts };
  if (isEmpty(config.Env)) config.Env = image.Env ?? null;
  else if (!isEmpty(image.Env)) {
    const own = new Set((config.Env ?? []).map(nameOf));
    config.Env = [...(config.Env ?? []), ...(image.Env ?? []).filter((variable) => !own.has(nameOf(variable)))];
  }
  config.Labels = { ...image.Labels, ...config.Labels };
  // `[""]` is how a client asks to drop the image's entrypoint.
  const dropsEntrypoint = config.Entrypoint?.length === 1 && config.Entrypoint[0] === "";
  if (isEmpty(config.Entrypoint) && config.Entrypoint === null) {
    if (isEmpty(config.Cmd)) config.Cmd = image.Cmd ?? null;
    config.Entrypoint = image.Entrypoint ?? null;
  } else if (isEmpty(config.Entrypoint) && isEmpty(config.Cmd)) {
    config.Cmd = image.Cmd ?? null;
  }
  if (dropsEntrypoint) config.Entrypoint = null;
  mergeHealth(config, image);
  if (config.WorkingDir === "") config.WorkingDir = image.WorkingDir ?? "";
  const volumes = { ...image.Volumes, ...config.Volumes };
  config.Volumes = Object.keys(volumes).length > 0 ? volumes : (image.Volumes ?? null);
  if (!config.StopSignal && image.StopSignal) config.StopSignal = image.StopSignal;
}

function mergeHealth(config: ContainerConfig, image: Partial<ImageConfig>): void {
  if (image.Healthcheck === undefined || image.Healthcheck === null) return;
  const own = config.Healthcheck ?? {};
  const merged = { ...image.Healthcheck };
  for (const [key, value] of Object.entries(own)) {
    const unset = value === 0 || (Array.isArray(value) && value.length === 0) || value === null;
    if (!unset) Object.assign(merged, { [key]: value });
  }
  config.Healthcheck = merged;
}

/** Entrypoint and command as one list. @throws InvalidArgument `no command specified` */
export function commandOf(config: ContainerConfig): [string, ...string[]] {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw new InvalidArgument("no command specified");
  return [path, ...args];
}
