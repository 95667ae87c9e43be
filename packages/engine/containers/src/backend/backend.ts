import type { FileArchiver, Layers } from "@longshore/archive";
import { Exclusive } from "@longshore/concurrency";
import { acceptsLabels } from "@longshore/list-filters";
import { attachKeys, serveAttach } from "../attach/serve.ts";
import { checkExecContainer, createExec, findExec, inspectExec, resizeExec, startExec } from "../exec/exec.ts";
import { checkExecKeys, serveExec } from "../exec/serve.ts";
import { createContainer } from "../lifecycle/create/create.ts";
import { killContainer } from "../lifecycle/stop/kill.ts";
import { pauseContainer, resizeContainer, unpauseContainer } from "../lifecycle/change/pause.ts";
import { pruneContainers } from "../lifecycle/remove/prune.ts";
import { removeContainer } from "../lifecycle/remove/remove.ts";
import { renameContainer } from "../lifecycle/change/rename.ts";
import { startContainer } from "../lifecycle/start/start.ts";
import { restartContainer, stopContainer } from "../lifecycle/stop/stop.ts";
import { updateContainer } from "../lifecycle/change/update.ts";
import { listContainers } from "../list/list.ts";
import { openContainerLog } from "../logging/read-log.ts";
import type { Context } from "../model/context.ts";
import { removeLink } from "../networking/links.ts";
import { changePorts, publishedPorts } from "../networking/ports.ts";
import { commitContainer, type CommitImage } from "../rootfs/commit.ts";
import { copyIn, copyOut, exportFiles, statFile } from "../rootfs/files.ts";
import { oneStats, streamStats } from "../stats/stream.ts";
import { containerChanges } from "../views/changes.ts";
import { inspectContainer } from "../views/inspect.ts";
import { summarize } from "../views/summary.ts";
import { topContainer } from "../views/top.ts";
import type { ContainersBackend, ExecBackend } from "./contract.ts";

/** What containers need beside their context to serve the routes. */
interface Parts {
  archiver: FileArchiver;
  layers: Layers;
  commitImage: CommitImage;
}

export function containersBackend(context: Context, { archiver, layers, commitImage }: Parts): ContainersBackend {
  const prunes = new Exclusive("a prune operation");
  return {
    cgroupVersion: context.host.sysInfo.CgroupVersion,
    find: (nameOrId) => context.store.get(nameOrId),
    all: () => context.store.list(),
    create: (request) => createContainer(context, request),
    start: (container) => startContainer(context, container),
    stop: (container, options) => stopContainer(context, container, options),
    restart: (container, options, shown) => restartContainer(context, container, options, shown),
    kill: (containers, name, signal) => killContainer(context, containers, name, signal),
    pause: (container) => pauseContainer(context, container),
    unpause: (container) => unpauseContainer(context, container),
    resize: (container, height, width) => resizeContainer(context, container, height, width),
    rename: (container, name) => renameContainer(context, container, name),
    update: (container, request) => updateContainer(context, container, request),
    remove: (container, options, shown) => removeContainer(context, container, options, shown),
    removeLink: (containers, name) => removeLink(containers, name),
    prune: (existing, filters, before) =>
      prunes.run(() =>
        pruneContainers(
          context,
          (container) =>
            existing.has(container) &&
            acceptsLabels(filters, container.record.Config.Labels) &&
            (before === undefined || Date.parse(container.record.Created) < before),
        ),
      ),
    list: (existing, query) => listContainers(context, existing, query),
    usage: () => summarize(context, context.store.list(), true),
    inspect: (container, withSize) => inspectContainer(context, container, withSize),
    top: (container, psArgs) => topContainer(context, container, psArgs),
    oneStats: (container, options) => oneStats(context, container, options),
    streamStats: (container, signal) => streamStats(context, container, signal),
    openLog: (container, request, signals) => openContainerLog(context, container, request, signals),
    attachKeys,
    attach: (container, client, options) => serveAttach(context, container, client, options),
    statFile: (container, shown, path) => statFile(context, archiver, container, shown, path),
    copyOut: (container, shown, path, begin, signal) =>
      copyOut(context, archiver, container, shown, path, begin, signal),
    copyIn: (container, shown, options, source) => copyIn(context, archiver, container, shown, options, source),
    exportFiles: (container, begin, signal) => exportFiles(context, archiver, container, begin, signal),
    changes: (container) => containerChanges(context, layers, container),
    commit: (container, options) => commitContainer(context, commitImage, container, options),
    publishedPorts,
    changePorts: (container, bindings) => changePorts(context, container, bindings),
  };
}

export function execBackend(context: Context): ExecBackend {
  return {
    find: (id) => findExec(context, id),
    checkKeys: checkExecKeys,
    create: (container, config, shown) => createExec(context, container, config, shown),
    inspect: inspectExec,
    resize: (exec, height, width) => resizeExec(context, exec, height, width),
    checkContainer: checkExecContainer,
    start: (exec) => startExec(context, exec, undefined),
    serve: (exec, client, framed) => serveExec(context, exec, client, framed),
  };
}
