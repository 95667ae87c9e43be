import { containerConfigFields, endpointSettingsShape, hostConfigShape, portMapShape } from "@longshore/docker-api";
import { bool, list, manyWords, map, size, struct, text } from "@longshore/go-json";

/** The body of a change of published ports. */
export const portsBody = struct("PortsRequest", { PortBindings: portMapShape });

/** Body of `POST /containers/create`. */
export const createBody = struct(
  "container.CreateRequest",
  {
    ...containerConfigFields,
    HostConfig: hostConfigShape,
    NetworkingConfig: struct("network.NetworkingConfig", { EndpointsConfig: map(endpointSettingsShape) }),
  },
  "",
);

/** Body of `POST /commit`. */
export const configBody = struct("container.CreateRequest", containerConfigFields, "");

/** Body of `POST /containers/{id}/exec`. */
export const execBody = struct("container.ExecOptions", {
  User: text,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: size,
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  DetachKeys: text,
  Env: list(text, undefined, manyWords),
  WorkingDir: text,
  Cmd: list(text, undefined, manyWords),
});

/** Body of `POST /exec/{id}/start`. */
export const execStartBody = struct("container.ExecStartOptions", { Detach: bool, Tty: bool, ConsoleSize: size });
