import type { Context } from "@longshore/containers";
import type { ImagesContext } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import type { Networks } from "@longshore/networks";
import type { Plugins } from "@longshore/plugins";
import type { Config } from "./config/config.ts";
import type { AccessConfig } from "./config/files/engine-keys.ts";
import type { EventHub } from "./events/hub.ts";

/** The running engine, as its reload and what shows the whole of it know it. */
export interface Engine {
  readonly config: Config;
  readonly containers: Context;
  readonly images: ImagesContext;
  readonly plugins: Plugins;
  readonly networks: Pick<Networks, "list">;
  readonly events: EventHub;
  readonly log: Logger;
  /** What was damaged and set aside, in words. */
  readonly damage: () => Promise<string[]>;
  /** Puts other own keys into force, but for sockets. @throws the system's error, having changed nothing */
  readonly reconfigure: (access: AccessConfig) => void;
  /** Stable across restarts. */
  readonly id: string;
}
