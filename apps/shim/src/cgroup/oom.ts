import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dup, eventfd, watchFile } from "@longshore/sys";
import { log } from "../log.ts";
import type { Shim } from "../shim.ts";
import type { Cgroup } from "./cgroup.ts";
import { readPairs } from "./read.ts";

/** Calls back for each time the kernel ran out of memory in the group; returns how to stop. */
export function watchOom(shim: Shim, cgroup: Cgroup, oom: () => void): () => void {
  try {
    return cgroup.version === 2 ? watchV2(shim, cgroup.path, oom) : watchV1(shim, cgroup.paths.get("memory"), oom);
  } catch (error) {
    log("warn", "out-of-memory events cannot be watched", error);
    return () => undefined;
  }
}

/** The file changes for other reasons too: only the count of kills tells. */
function watchV2(shim: Shim, folder: string, oom: () => void): () => void {
  let known = readPairs(folder, "memory.events").get("oom_kill") ?? 0n;
  return shim.watch(watchFile(join(folder, "memory.events")), () => {
    const kills = readPairs(folder, "memory.events").get("oom_kill") ?? known;
    if (kills > known) oom();
    known = kills;
  });
}

/** The eventfd is signalled once more when the group is removed. */
function watchV1(shim: Shim, folder: string | undefined, oom: () => void): () => void {
  if (folder === undefined) return () => undefined;
  const control = openSync(join(folder, "memory.oom_control"), "r");
  const event = eventfd();
  try {
    writeFileSync(join(folder, "cgroup.event_control"), `${event} ${control}`);
    return shim.watch(dup(event), () => {
      if (existsSync(join(folder, "memory.oom_control"))) oom();
    });
  } finally {
    closeSync(event);
    closeSync(control);
  }
}
