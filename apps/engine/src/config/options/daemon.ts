import { features } from "../kinds/maps.ts";
import { labels } from "../kinds/lists.ts";
import { flag, int, text } from "../kinds/scalars.ts";
import { checkLabelForms, checkLogFormat, checkLogLevel, checkMetricsAddress } from "../checks.ts";
import { option } from "./option.ts";

/** The daemon itself. */
export const daemonOptions = {
  containerd: option(text, { help: "containerd grpc address", fallback: "/run/longshore/containerd/containerd.sock" }),
  "containerd-namespace": option(text, { help: "Containerd namespace to use", fallback: "moby" }),
  "containerd-plugins-namespace": option(text, {
    key: null,
    help: "Containerd namespace to use for plugins",
    fallback: "plugins.moby",
    unserved: "managed plugins are not served; the name is only shown",
  }),
  "data-root": option(text, { help: "Root directory of persistent state", fallback: "/var/lib/longshore" }),
  debug: option(flag, { short: "D", help: "Enable debug mode", fallback: false, reload: "named" }),
  "deprecated-key-path": option(text, {
    fileOnly: true,
    placeholder: "",
    help: "",
    fallback: "",
    unserved: "the engine has no key of that kind, nor has Docker any more",
  }),
  "exec-root": option(text, { help: "Root directory for execution state files", fallback: "/run/longshore" }),
  experimental: option(flag, { help: "Enable experimental features", fallback: false }),
  feature: option(features, {
    key: "features",
    help: "Enable feature in the daemon",
    fallback: {},
    reload: "always",
    unservedValues: [
      {
        what: "the feature `containerd-snapshotter: false`",
        when: (given) => given["containerd-snapshotter"] === false,
        warning: () => "the feature containerd-snapshotter cannot be off: images are always kept by containerd",
      },
      {
        what: "the feature `cdi`",
        when: (given) => given["cdi"] === true,
        warning: () => "the feature cdi is not served: a container that asks for a device by CDI is refused",
      },
    ],
  }),
  group: option(text, { short: "G", help: "Group for the unix socket", fallback: "docker" }),
  label: option(labels, {
    key: "labels",
    help: "Set key=value labels to the daemon",
    fallback: [],
    reload: "always",
    check: checkLabelForms,
  }),
  "live-restore": option(flag, {
    unserved: "containers always go on while the daemon is away",
    help: "Keep containers running while the daemon is away (always so)",
    fallback: true,
  }),
  "log-format": option(text, {
    help: 'Set the logging format ("text"|"json")',
    fallback: "text",
    check: checkLogFormat,
  }),
  "log-level": option(text, {
    short: "l",
    help: 'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")',
    fallback: "info",
    reload: "named",
    untold: true,
    check: checkLogLevel,
  }),
  "metrics-addr": option(text, {
    help: "Set default address and port to serve the metrics api on",
    fallback: "",
    check: checkMetricsAddress,
  }),
  pidfile: option(text, {
    short: "p",
    help: "Path to use for daemon PID file",
    fallback: "/run/longshore/dockerd.pid",
  }),
  "raw-logs": option(flag, {
    help: "Full timestamps without ANSI coloring",
    fallback: false,
  }),
  "shutdown-timeout": option(int, {
    help: "Set the default shutdown timeout",
    fallback: 15,
    reload: "named",
    unserved: "containers go on while the daemon is away, so none is stopped with it",
  }),
};
