import type { FileArchiver, Layers } from "@longshore/archive";
import type { Context } from "@longshore/containers";
import type { ImagesContext } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import type { Networks } from "@longshore/networks";
import type { Plugins } from "@longshore/plugins";
import type { FastifyInstance } from "fastify";
import type { Config } from "./config/config.ts";
import type { AccessConfig } from "./config/engine-keys.ts";
import type { EventHub } from "./events/hub.ts";

/** What the routes of this app work with. */
export interface Engine {
  readonly config: Config;
  readonly containers: Context;
  readonly images: ImagesContext;
  readonly plugins: Plugins;
  readonly networks: Pick<Networks, "list">;
  readonly events: EventHub;
  readonly log: Logger;
  readonly archiver: FileArchiver;
  readonly layers: Layers;
  /** What was damaged and set aside, in words. */
  readonly damage: () => Promise<string[]>;
  /** Puts other own keys into force, but for sockets. @throws the system's error, having changed nothing */
  readonly reconfigure: (access: AccessConfig) => void;
  /** Stable across restarts. */
  readonly id: string;
}

/** Adds the routes of one resource. */
export type RoutePlugin<D = Engine> = (app: FastifyInstance, engine: D) => void;
