import { attachRoutes } from "./attach.ts";
import { authRoutes } from "./auth.ts";
import { checkpointRoutes } from "./checkpoints.ts";
import { commitRoutes } from "./commit.ts";
import { containerRoutes } from "./containers.ts";
import { diskUsageRoutes } from "./disk-usage.ts";
import { eventRoutes } from "./events.ts";
import { execRoutes } from "./exec.ts";
import { fileRoutes } from "./files.ts";
import { imageTransferRoutes } from "./image-transfers.ts";
import { imageRoutes } from "./images.ts";
import { listRoutes } from "./list.ts";
import { logRoutes } from "./logs.ts";
import { portRoutes } from "./ports.ts";
import { registryRoutes } from "./registry.ts";
import { statsRoutes } from "./stats.ts";
import { systemRoutes } from "./system.ts";
import { unservedRoutes } from "./unserved.ts";
import { waitRoutes } from "./wait.ts";

/** The routes that need no more than the engine; those of networks and volumes are added beside them. */
export const routes = [systemRoutes, eventRoutes, containerRoutes, portRoutes, listRoutes, waitRoutes, attachRoutes, logRoutes, execRoutes, fileRoutes, statsRoutes, commitRoutes, diskUsageRoutes, authRoutes, imageRoutes, imageTransferRoutes, registryRoutes, checkpointRoutes, unservedRoutes];
