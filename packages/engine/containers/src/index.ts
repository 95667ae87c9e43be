export { Attachment, type AttachRequest } from "./attach/attach-sessions.ts";
export { attachContainer, checkAttachable } from "./attach/attach.ts";
export { logReplay } from "./attach/attach-replay.ts";
export { restoreContainers } from "./boot/boot.ts";
export { resumeContainers } from "./boot/resume.ts";
export { containerChanges } from "./views/changes.ts";
export { Container, type WaitCondition, type WaitResult } from "./model/container.ts";
export {
  type ContainerSettings,
  type Context,
  emitContainer,
  type HealthObserver,
  type RuntimeSettings,
} from "./model/context.ts";
export { noteLogDamage } from "./logging/log-damage.ts";
export { createContainer, type CreateRequest } from "./lifecycle/create.ts";
export { parseDetachKeys } from "./attach/detach.ts";
export { checkExecContainer, createExec, findExec, inspectExec, resizeExec, startExec } from "./exec/exec.ts";
export type { ExecInspectResponse } from "./exec/exec-inspect.ts";
export type { Exec, ExecConfig } from "./exec/exec-record.ts";
export { copyIn, copyOut, exportFiles, statFile, usingFiles } from "./rootfs/files.ts";
export { inspectContainer } from "./views/inspect.ts";
export { killContainer } from "./lifecycle/kill.ts";
export { TaskMonitor } from "./lifecycle/monitor.ts";
export { pauseContainer, resizeContainer, unpauseContainer, whilePaused } from "./lifecycle/pause.ts";
export { pruneContainers } from "./lifecycle/prune.ts";
export { changePorts, publishedPorts } from "./networking/ports.ts";
export { damagedContainers } from "./model/record-files.ts";
export { statusOf, type ContainerRecord, type Status } from "./model/record.ts";
export { connectContainer, disconnectContainer } from "./networking/attachment.ts";
export { portFilter } from "./list/port-filter.ts";
export { removeLink } from "./networking/links.ts";
export { removeContainer } from "./lifecycle/remove.ts";
export { renameContainer } from "./lifecycle/rename.ts";
export { startContainer } from "./lifecycle/start.ts";
export { restartContainer, stopContainer, type StopOptions } from "./lifecycle/stop.ts";
export { Framer, Unframer } from "./attach/frame-streams.ts";
export { Demultiplexer, frame, stdoutStream } from "./attach/stdcopy.ts";
export { imageUsage } from "./rootfs/image-mounts.ts";
export { type ContainerFinder, ContainerStore } from "./model/store.ts";
export { emptyStats, sampleStats } from "./stats/stats.ts";
export { sizesOf } from "./views/sizes.ts";
export { portsOf, summarize } from "./views/summary.ts";
export { now, nowNano } from "./model/time.ts";
export { topContainer } from "./views/top.ts";
export { updateContainer } from "./lifecycle/update.ts";
export { LogFeeds } from "./logging/log-feeds.ts";
export { canReadLog, checkLogDefaults } from "./logging/log-options.ts";
