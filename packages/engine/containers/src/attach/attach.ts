import { Conflict } from "@longshore/errdefs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attachment } from "./attach-sessions.ts";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import type { Replay } from "./attach-replay.ts";
import { hasEnded } from "../lifecycle/end/has-ended.ts";
import { attachSocket } from "./stdio.ts";

/** The stream of a process that ended is kept open so long for the news of that, which comes at once unless containerd is away. */
const newsMs = 10_000;

/** @throws Conflict with Docker's messages when nobody can attach now */
export function checkAttachable(container: Container, shownName: string): void {
  if (container.status === "paused")
    throw new Conflict(`container ${shownName} is paused, unpause the container before attach`);
  if (container.status === "restarting")
    throw new Conflict(`container ${shownName} is restarting, wait until the container is running`);
}

/**
 * Joins a client to the container's process: at once when it runs, else when it is started. With `replay` it sees
 * the log before, which ends where the streams begin. Resolves when the attachment has ended, and its container's
 * `die` has been told if it ended with the process.
 */
export async function attachContainer(
  context: Context,
  container: Container,
  attachment: Attachment,
  replay?: Replay,
): Promise<void> {
  emitContainer(context, container, "attach");
  const over = new AbortController();
  const { log, exited } = await container.lock.run(async () => {
    const exit = container.wait("next-exit", over.signal).catch(() => undefined);
    await join(context, container, attachment);
    return { log: await replay?.open(attachment.logEnd), exited: exit };
  });
  try {
    await log?.show();
    attachment.proceed();
    const end = await attachment.done;
    if (end === "detached") emitContainer(context, container, "detach");
    if (end === "ended")
      await Promise.race([
        exited,
        sleep(newsMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined),
      ]);
  } finally {
    over.abort();
    await log?.close();
    container.pendingAttachments.delete(attachment);
  }
}

/** With the container's lock. */
async function join(context: Context, container: Container, attachment: Attachment): Promise<void> {
  if (!container.alive) {
    container.pendingAttachments.add(attachment);
    return;
  }
  try {
    await attachment.join(attachSocket(context, container.id), "");
    attachment.flow();
  } catch (error) {
    // There is nothing to come any more: as with Docker the client sees the end.
    if (!(await hasEnded(context, container))) throw error;
    attachment.abandon("ended");
  }
}
