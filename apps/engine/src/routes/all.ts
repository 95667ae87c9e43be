import { attachRoutes } from "./containers/attach.ts";
import { authRoutes } from "./images/auth.ts";
import { checkpointRoutes } from "./containers/checkpoints.ts";
import { commitRoutes } from "./containers/commit.ts";
import { containerRoutes } from "./containers/containers.ts";
import { diskUsageRoutes } from "./system/disk-usage.ts";
import { eventRoutes } from "./system/events.ts";
import { execRoutes } from "./containers/exec.ts";
import { fileRoutes } from "./containers/files.ts";
import { imageTransferRoutes } from "./images/image-transfers.ts";
import { imageRoutes } from "./images/images.ts";
import { listRoutes } from "./containers/list.ts";
import { networkRoutes } from "./networks/networks.ts";
import { volumeRoutes } from "./volumes/volumes.ts";
import { logRoutes } from "./containers/logs.ts";
import { portRoutes } from "./containers/ports.ts";
import { registryRoutes } from "./images/registry.ts";
import { statsRoutes } from "./containers/stats.ts";
import { systemRoutes } from "./system/system.ts";
import { unservedRoutes } from "./system/unserved.ts";
import { waitRoutes } from "./containers/wait.ts";

/** All routes. */
export const routes = [
  systemRoutes,
  eventRoutes,
  containerRoutes,
  portRoutes,
  listRoutes,
  waitRoutes,
  attachRoutes,
  logRoutes,
  execRoutes,
  fileRoutes,
  statsRoutes,
  commitRoutes,
  networkRoutes,
  volumeRoutes,
  diskUsageRoutes,
  authRoutes,
  imageRoutes,
  imageTransferRoutes,
  registryRoutes,
  checkpointRoutes,
  unservedRoutes,
];
