import type { Duplex } from "node:stream";
import { messageOf } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { Attachment, type AttachRequest } from "./attach-sessions.ts";
import { attachContainer, checkAttachable } from "./attach.ts";
import { logReplay } from "./attach-replay.ts";
import { parseDetachKeys } from "./detach.ts";
import { frame, stdoutStream } from "./stdcopy.ts";

/** What a client wants of a container that it attaches to. */
export interface AttachOptions extends Omit<AttachRequest, "output" | "log"> {
  /** It is shown the log first. */
  logs: boolean;
  /** It joins the process; else it has seen all that it wanted. */
  stream: boolean;
  /** What goes wrong is told in the stream, as output of the process. */
  tellErrors: boolean;
}

/**
 * The keys that detach from a container; without a terminal there are none, whatever is named.
 * @throws Conflict when nobody can attach to it, InvalidArgument for keys that are none
 */
export function attachKeys(container: Container, shownName: string, detachKeys: string): readonly number[] {
  checkAttachable(container, shownName);
  const keys = parseDetachKeys(detachKeys);
  return container.record.Config.Tty ? keys : [];
}

/** Serves a client on its connection, and ends that. What goes wrong is logged. */
export async function serveAttach(
  context: Context,
  container: Container,
  client: Duplex,
  options: AttachOptions,
): Promise<void> {
  try {
    await serve(context, container, client, options);
  } catch (error) {
    context.log.warn({ err: error, container: container.id }, "attach");
    if (options.tellErrors) client.write(frame(stdoutStream, Buffer.from(`Error attaching: ${messageOf(error)}\n`)));
  }
  client.end();
}

async function serve(
  context: Context,
  container: Container,
  client: Duplex,
  { logs, stream, tellErrors: _tellErrors, ...request }: AttachOptions,
): Promise<void> {
  const replay = logs ? logReplay(container, client, request, context.log) : undefined;
  if (stream)
    return attachContainer(
      context,
      container,
      new Attachment({ ...request, log: replay !== undefined }, client),
      replay,
    );
  emitContainer(context, container, "attach");
  const log = await replay?.open(undefined);
  try {
    await log?.show();
  } finally {
    await log?.close();
  }
}
