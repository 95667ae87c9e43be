import type { ContainersBackend, ExecBackend } from "@longshore/containers";
import type { ImagesBackend } from "@longshore/images";
import type { Logger } from "@longshore/logger";
import type { NetworksBackend } from "@longshore/networks";
import type { VolumesBackend } from "@longshore/volumes";
import type { FastifyInstance } from "fastify";
import type { Config } from "./config/config.ts";
import type { EventHub } from "./events/hub.ts";
import type { SystemBackend } from "./system/backend.ts";

/** What the routes of this app work with: they parse and render, these do. */
export interface Backends {
  readonly config: Pick<Config, "experimental" | "features">;
  readonly containers: ContainersBackend;
  readonly exec: ExecBackend;
  readonly images: ImagesBackend;
  readonly networks: NetworksBackend;
  readonly volumes: VolumesBackend;
  readonly system: SystemBackend;
  readonly events: Pick<EventHub, "subscribe" | "recent">;
  readonly log: Logger;
}

/** Adds the routes of one resource. */
export type RoutePlugin<B = Backends> = (app: FastifyInstance, backends: B) => void;
