import type { Duplex } from "node:stream";
import { messageOf, Unknown } from "@longshore/errdefs";
import { Attachment, type AttachRequest } from "../attach/attach-sessions.ts";
import { parseDetachKeys } from "../attach/detach.ts";
import { Framer, Unframer } from "../attach/frame-streams.ts";
import { frame, stdoutStream } from "../attach/stdcopy.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { startExec } from "./exec.ts";
import type { Exec } from "./exec-record.ts";

/** Docker answers these with other words, and another status, than for attach. @throws Unknown */
export function checkExecKeys(keys: string): void {
  try {
    parseDetachKeys(keys);
  } catch (error) {
    throw new Unknown(`Invalid escape keys (${keys}) provided`, { cause: error });
  }
}

/**
 * Starts an exec whose client is attached to it, and ends the connection with it. What goes wrong is told in the stream.
 * @param framed whether the client expects the streams in frames
 */
export async function serveExec(context: Context, exec: Exec, client: Duplex, framed: boolean): Promise<void> {
  const attachment = new Attachment(attachRequest(exec.config, framed), client);
  try {
    await startExec(context, exec, attachment);
    const end = await attachment.done;
    if (end === "detached") emitContainer(context, exec.container, "exec_detach", { execID: exec.id });
    // The client asks for the exit code as soon as the connection ends. A process that said nothing may be over before its
    // output could be handed over: it was started all the same.
    if (end === "ended" || end === "abandoned") await exec.ended;
  } catch (error) {
    context.log.debug({ err: error, exec: exec.id }, "exec start");
    const text = Buffer.from(`${messageOf(error)}\r\n`);
    client.write(framed ? frame(stdoutStream, text) : text);
  }
  client.end();
}

/** The terminal is that of create, whatever start says; only the frames are what start says. */
function attachRequest(config: Exec["config"], framed: boolean): AttachRequest {
  const { attachStdin: stdin, attachStdout: stdout, attachStderr, detachKeys, tty } = config;
  const wants = {
    stdin,
    stdout,
    stderr: attachStderr && (tty || framed),
    detachKeys: tty ? parseDetachKeys(detachKeys) : [],
  };
  if (tty !== framed) return wants;
  return { ...wants, output: framed ? new Framer() : new Unframer() };
}
