import { createGzip } from "node:zlib";
import type { PathStat } from "@longshore/archive";
import { confined } from "../../access/route-access.ts";
import { visible } from "../../access/visible.ts";
import type { RoutePlugin } from "../../backends.ts";
import { bodyStream } from "../../server/body/body.ts";
import { Query } from "../../server/query/query.ts";
import { clientGone } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { BodyStream } from "../../server/answer/stream.ts";
import { parameter } from "../parameters.ts";

const tarType = "application/x-tar";

function statHeader(stat: PathStat): Record<string, string> {
  return { "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") };
}

/** `docker cp`, `docker export`, `docker diff`. */
export const fileRoutes: RoutePlugin = (app, { containers, log }) => {
  app.head("/containers/:name/archive", confined, async (request, reply) => {
    const name = parameter(request, "name");
    const stat = await containers.statFile(
      visible(request, containers).get(name),
      name,
      new Query(request).get("path"),
    );
    return reply.code(200).headers(statHeader(stat)).send();
  });

  app.get("/containers/:name/archive", confined, async (request, reply) => {
    const name = parameter(request, "name");
    const zip = (request.headers["accept-encoding"] ?? "").includes("gzip");
    let stream: BodyStream | undefined;
    let gzip: ReturnType<typeof createGzip> | undefined;
    const begin = (stat: PathStat): ((piece: Uint8Array) => Promise<void>) => {
      const body = new BodyStream(reply, tarType, {
        ...statHeader(stat),
        ...(zip ? { "Content-Encoding": "gzip" } : {}),
      });
      stream = body;
      if (!zip) return (piece) => body.write(piece);
      const packer = createGzip({ level: 1 });
      gzip = packer;
      packer.on("data", (chunk: Buffer) => {
        packer.pause();
        void body.write(chunk).then(() => packer.resume());
      });
      return async (piece) => {
        if (!packer.write(piece)) await new Promise<void>((resolve) => packer.once("drain", resolve));
      };
    };
    try {
      await containers.copyOut(
        visible(request, containers).get(name),
        name,
        new Query(request).get("path"),
        begin,
        clientGone(reply),
      );
    } catch (error) {
      if (stream === undefined) throw error;
      log.warn({ err: error, container: name }, "packing files");
      stream.fail();
      return reply;
    }
    await new Promise<void>((resolve) => (gzip === undefined ? resolve() : gzip.once("end", resolve).end()));
    stream?.end();
    return reply;
  });

  app.put("/containers/:name/archive", confined, async (request, reply) => {
    const name = parameter(request, "name");
    const query = new Query(request);
    const options = {
      path: query.get("path"),
      noOverwriteDirNonDir: query.bool("noOverwriteDirNonDir"),
      copyUidGid: query.bool("copyUIDGID"),
    };
    await containers.copyIn(visible(request, containers).get(name), name, options, bodyStream(request));
    return reply.code(200).send();
  });

  app.get("/containers/:name/export", confined, async (request, reply) => {
    const container = visible(request, containers).get(parameter(request, "name"));
    let stream: BodyStream | undefined;
    const begin = (): ((piece: Uint8Array) => Promise<void>) => {
      const body = new BodyStream(reply, "application/octet-stream");
      stream = body;
      return (piece) => body.write(piece);
    };
    try {
      await containers.exportFiles(container, begin, clientGone(reply));
    } catch (error) {
      if (stream === undefined) throw error;
      log.warn({ err: error, container: container.id }, "exporting a container");
      stream.fail();
      return reply;
    }
    stream?.end();
    return reply;
  });

  app.get("/containers/:name/changes", confined, async (request, reply) => {
    sendJson(reply, 200, await containers.changes(visible(request, containers).get(parameter(request, "name"))));
  });
};
