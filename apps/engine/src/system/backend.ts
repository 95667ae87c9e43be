import type { SystemInfo, SystemVersion } from "@longshore/docker-api";
import type { Engine } from "../engine.ts";
import { componentVersions } from "./components.ts";
import { systemInfo } from "./info.ts";

/** What the routes of the whole engine do. */
export interface SystemBackend {
  /** What `docker info` shows, as the newest API version has it. */
  info(): Promise<Partial<SystemInfo>>;
  /** The parts below the engine. */
  components(): Promise<SystemVersion["Components"]>;
}

export function systemBackend(engine: Engine): SystemBackend {
  return { info: () => systemInfo(engine), components: () => componentVersions(engine) };
}
