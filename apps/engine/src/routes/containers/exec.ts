import {
  Attachment,
  type AttachRequest,
  checkExecContainer,
  createExec,
  type Exec,
  frame,
  Framer,
  inspectExec,
  parseDetachKeys,
  resizeExec,
  startExec,
  stdoutStream,
  emitContainer,
  Unframer,
} from "@longshore/containers";
import { InvalidArgument, messageOf, Unknown } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../engine.ts";
import { refusePrivileges } from "../../access/guard.ts";
import { readJson } from "../../server/body/body.ts";
import { hijack, multiplexedStream, rawStream } from "../../server/takeover/hijack.ts";
import { Query } from "../../server/query/query.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { execBody, execStartBody } from "./container-shapes.ts";
import { parameter } from "../parameters.ts";
import { parseSize } from "../values.ts";

function size(given: [height: number, width: number] | null | undefined): { consoleSize?: [number, number] } {
  const [height, width] = given ?? [];
  return height === undefined || width === undefined || (height === 0 && width === 0)
    ? {}
    : { consoleSize: [height, width] };
}

/** Docker answers these with other words, and another status, than for attach. */
function checkDetachKeys(keys: string): void {
  try {
    parseDetachKeys(keys);
  } catch (error) {
    throw new Unknown(`Invalid escape keys (${keys}) provided`, { cause: error });
  }
}

export const execRoutes: RoutePlugin = (app, { containers, log }) => {
  app.post("/containers/:name/exec", confined, async (request, reply) => {
    const body = (await readJson(request, execBody)) ?? {};
    if ((body.Cmd ?? []).length === 0) throw new InvalidArgument("No exec command specified");
    checkDetachKeys(body.DetachKeys ?? "");
    if (body.Privileged === true) refusePrivileges(request);
    const name = parameter(request, "name");
    const config = {
      attachStdin: body.AttachStdin ?? false,
      attachStdout: body.AttachStdout ?? false,
      attachStderr: body.AttachStderr ?? false,
      tty: body.Tty ?? false,
      detachKeys: body.DetachKeys ?? "",
      env: body.Env ?? [],
      cmd: body.Cmd ?? [],
      privileged: body.Privileged ?? false,
      user: body.User ?? "",
      workingDir: body.WorkingDir ?? "",
      ...(speaks(request, "execConsoleSize") ? size(body.ConsoleSize) : {}),
    };
    const Id = await createExec(containers, visible(request, containers).get(name), config, name);
    sendJson(reply, 201, { Id });
  });

  app.get("/exec/:id/json", confined, (request, reply) =>
    sendJson(reply, 200, inspectExec(visible(request, containers).exec(parameter(request, "id")))),
  );

  app.post("/exec/:id/resize", confined, async (request, reply) => {
    const [height, width] = parseSize(new Query(request));
    await resizeExec(containers, visible(request, containers).exec(parameter(request, "id")), height, width);
    reply.code(200).send();
  });

  app.post("/exec/:id/start", confined, async (request, reply) => {
    const body = (await readJson(request, execStartBody)) ?? {};
    const exec = visible(request, containers).exec(parameter(request, "id"));
    checkExecContainer(exec);
    const framed = body.Tty !== true;
    if (!framed && speaks(request, "execConsoleSize")) Object.assign(exec.config, size(body.ConsoleSize));
    if (body.Detach === true) {
      await startExec(containers, exec, undefined);
      return reply.code(200).send();
    }
    const multiplexed = framed && speaks(request, "multiplexedMediaType");
    const socket = hijack(request, reply, multiplexed ? multiplexedStream : rawStream, execHeaders(reply.getHeaders()));
    const attachment = new Attachment(attachRequest(exec.config, framed), socket);
    try {
      await startExec(containers, exec, attachment);
      const end = await attachment.done;
      if (end === "detached") emitContainer(containers, exec.container, "exec_detach", { execID: exec.id });
      // The client asks for the exit code as soon as the connection ends.
      if (end === "ended") await exec.ended;
    } catch (error) {
      log.debug({ err: error, exec: exec.id }, "exec start");
      const text = Buffer.from(`${messageOf(error)}\r\n`);
      socket.write(framed ? frame(stdoutStream, text) : text);
    }
    socket.end();
    return reply;
  });
};

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

/** An exec's raw answer carries the headers that each answer has. */
function execHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[canonical(name), value]] : [])),
  );
}

function canonical(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_whole, dash: string, letter: string) => dash + letter.toUpperCase());
}
