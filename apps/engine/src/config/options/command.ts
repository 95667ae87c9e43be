import { flag, text } from "../kinds/scalars.ts";
import { option } from "./option.ts";

/** Of the command line alone. */
export const commandOptions = {
  "config-file": option(text, { key: null, help: "Daemon configuration file", fallback: "/etc/docker/daemon.json" }),
  "longshore-config-file": option(text, {
    key: null,
    help: "Configuration file of what Docker has no options for",
    fallback: "/etc/longshore/engine.json",
  }),
  help: option(flag, { key: null, help: "Print usage", fallback: false }),
  validate: option(flag, { key: null, help: "Validate daemon configuration and exit", fallback: false }),
  version: option(flag, { short: "v", key: null, help: "Print version information and quit", fallback: false }),
};
