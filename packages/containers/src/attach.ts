import { Conflict } from "@longshore/errdefs";
import { type Attachment } from "./attach-sessions.ts";
import type { Container } from "./container.ts";
import { type Context, emitContainer } from "./context.ts";
import { attachSocket } from "./stdio.ts";

/** @throws Conflict with Docker's messages when nobody can attach now */
export function checkAttachable(container: Container, shownName: string): void {
  if (container.status === "paused") throw new Conflict(`container ${shownName} is paused, unpause the container before attach`);
  if (container.status === "restarting") throw new Conflict(`container ${shownName} is restarting, wait until the container is running`);
}

/**
 * Joins a client to the container's process: at once when it runs, else when it is started.
 * Resolves when the attachment has ended.
 */
export async function attachContainer(context: Context, container: Container, attachment: Attachment): Promise<void> {
  emitContainer(context, container, "attach");
  const waits = await container.lock.run(async () => {
    if (!container.alive) {
      container.pendingAttachments.add(attachment);
      return true;
    }
    await attachment.join(attachSocket(context, container.id), "");
    attachment.flow();
    return false;
  });
  try {
    if ((await attachment.done) === "detached") emitContainer(context, container, "detach");
  } finally {
    if (waits) container.pendingAttachments.delete(attachment);
  }
}
