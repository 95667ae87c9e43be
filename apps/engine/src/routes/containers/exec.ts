import { InvalidArgument } from "@longshore/errdefs";
import { confined } from "../../access/route-access.ts";
import { visible, visibleExec } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
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

export const execRoutes: RoutePlugin = (app, { containers, exec: execs }) => {
  app.post("/containers/:name/exec", confined, async (request, reply) => {
    const body = (await readJson(request, execBody)) ?? {};
    if ((body.Cmd ?? []).length === 0) throw new InvalidArgument("No exec command specified");
    execs.checkKeys(body.DetachKeys ?? "");
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
    const Id = await execs.create(visible(request, containers).get(name), config, name);
    sendJson(reply, 201, { Id });
  });

  app.get("/exec/:id/json", confined, (request, reply) =>
    sendJson(reply, 200, execs.inspect(visibleExec(request, execs, containers))),
  );

  app.post("/exec/:id/resize", confined, async (request, reply) => {
    const [height, width] = parseSize(new Query(request));
    await execs.resize(visibleExec(request, execs, containers), height, width);
    reply.code(200).send();
  });

  app.post("/exec/:id/start", confined, async (request, reply) => {
    const body = (await readJson(request, execStartBody)) ?? {};
    const exec = visibleExec(request, execs, containers);
    execs.checkContainer(exec);
    const framed = body.Tty !== true;
    if (!framed && speaks(request, "execConsoleSize")) Object.assign(exec.config, size(body.ConsoleSize));
    if (body.Detach === true) {
      await execs.start(exec);
      return reply.code(200).send();
    }
    const multiplexed = framed && speaks(request, "multiplexedMediaType");
    const socket = hijack(request, reply, multiplexed ? multiplexedStream : rawStream, execHeaders(reply.getHeaders()));
    await execs.serve(exec, socket, framed);
    return reply;
  });
};

/** An exec's raw answer carries the headers that each answer has. */
function execHeaders(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[canonical(name), value]] : [])),
  );
}

function canonical(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_whole, dash: string, letter: string) => dash + letter.toUpperCase());
}
