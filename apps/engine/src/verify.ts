import { checkLogDefaults } from "@longshore/containers";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import type { Config } from "./config/config.ts";
import { cgroupDriver } from "./config/exec-options.ts";
import { refuseDockerRoot } from "./docker-root.ts";
import { registryHosts } from "./images.ts";
import { verifyListeners } from "./listeners/open.ts";
import { containerSettings } from "./settings.ts";

/**
 * What can only be told with the machine at hand, before anything is touched: what `--validate` says and a start relies on.
 * @param options.activated see `verifyListeners`
 * @throws InvalidArgument, FailedPrecondition in dockerd's words
 */
export function verifyStart(config: Config, options: { activated: boolean }): void {
  refuseDockerRoot(config.dataRoot);
  try {
    checkLogDefaults(config.logDriver, config.logOpts);
    containerSettings(config, cgroupDriver(config));
    registryHosts(config);
  } catch (error) {
    throw new InvalidArgument(`failed to start daemon: ${messageOf(error)}`, { cause: error });
  }
  verifyListeners(config, options);
}
