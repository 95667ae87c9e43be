import assert from "node:assert/strict";
import { NotFound } from "@longshore/errdefs";
import type { FastifyInstance } from "fastify";
import { readEarly } from "../body/body.ts";
import { hijack, multiplexedStream, rawStream } from "./hijack.ts";
import { clientGone } from "../request.ts";
import { type AppOnSocket, type Dialogue, serveOnSocket } from "../testing/app-on-socket.ts";
import { sendJson } from "../answer/send.ts";

const upgradeHeaders: Record<string, string[]> = {
  none: [],
  "Upgrade alone": ["Upgrade: tcp"],
  "Upgrade and Connection": ["Connection: Upgrade", "Upgrade: tcp"],
};
const bodies: Record<string, { headers: string[]; text: string }> = {
  none: { headers: [], text: "" },
  "of a length": { headers: ["Content-Length: 4"], text: "body" },
  "in chunks": { headers: ["Transfer-Encoding: chunked"], text: "2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\nTrailer: x\r\n\r\n" },
};
/** What would be a request, if it were no input. */
const input = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n\0\u0001 no request at all\r\n\r\n";

describe("connections", () => {
  const seen = { gone: false };
  let server: AppOnSocket;
  const dial = (): Dialogue => server.dial();
  before(async () => {
    server = await serveOnSocket(addRoutes);
  });
  after(() => server.close());

  function addRoutes(app: FastifyInstance): void {
    for (const path of ["/exec/:id/start", "/containers/:name/attach"]) {
      app.post(path, async (request, reply) => {
        if (request.url.includes("missing")) throw new NotFound("No such exec instance: missing");
        const body = await readEarly(request);
        const socket = hijack(request, reply, multiplexedStream);
        socket.write(`[${body.toString()}]`);
        socket.pipe(socket);
        return reply;
      });
    }
    app.get("/slow", async (_request, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      sendJson(reply, 200, "done");
    });
    app.post("/slow", async (request, reply) => {
      await readEarly(request);
      await new Promise((resolve) => setTimeout(resolve, 50));
      sendJson(reply, 200, "done");
    });
    app.get("/never", (_request, reply) => {
      clientGone(reply).addEventListener("abort", () => (seen.gone = true));
    });
  }

  for (const path of ["/exec/1/start", "/containers/a%2Fb/attach?stream=1"]) {
    for (const version of ["", "/v1.24", "/v1.41", "/v1.51"]) {
      for (const [upgrade, headers] of Object.entries(upgradeHeaders)) {
        it(`${version}${path} belongs to the stream, upgrade headers: ${upgrade}`, async () => {
          await Promise.all(
            Object.entries(bodies).flatMap(([kind, body]) =>
              [true, false].map(async (atOnce) => {
                const { socket, answer } = dial();
                const head = [`POST ${version}${path} HTTP/1.1`, "Host: x", ...headers, ...body.headers].join("\r\n");
                socket.write(`${head}\r\n\r\n${body.text}${atOnce ? input : ""}`);
                const opened = kind === "none" ? "[]" : "[body]";
                await answer((text) => text.includes(opened));
                if (!atOnce) socket.write(input);
                socket.end();
                const text = await answer();
                const [first] = text.split("\r\n\r\n", 1);
                const expected =
                  headers.length === 0
                    ? `HTTP/1.1 200 OK\r\nContent-Type: ${rawStream}`
                    : `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${multiplexedStream}\r\nConnection: Upgrade\r\nUpgrade: tcp`;
                assert.equal(first, expected);
                assert.equal(text.slice(expected.length + 4), opened + input, kind);
              }),
            ),
          );
        });
      }
    }
  }

  it("answers a request that could have taken its connection over, and did not, in HTTP", async () => {
    for (const headers of Object.values(upgradeHeaders)) {
      const { socket, answer } = dial();
      socket.write(
        ["POST /exec/missing/start HTTP/1.1", "Host: x", ...headers, "Content-Length: 2", "", "{}"].join("\r\n"),
      );
      const text = await answer();
      socket.destroy();
      assert.match(
        text,
        /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*Connection: close\r\n[\s\S]*\{"message":"No such exec instance: missing"\}\n$/i,
      );
    }
  });

  it("answers what was asked before on the same connection first", async () => {
    const { socket, answer } = dial();
    socket.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nPOST /exec/1/start HTTP/1.1\r\nHost: x\r\n\r\nhello");
    const text = await answer((so) => so.endsWith("hello"));
    socket.destroy();
    assert.match(
      text,
      /^HTTP\/1\.1 200 OK[\s\S]*"done"\n?[\s\S]*HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n\r\n\[\]hello$/,
    );
  });

  it("serves a request for another protocol where there is none like any other", async () => {
    const { socket, answer } = dial();
    socket.write(
      ["POST /slow HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 2", "", "{}"].join(
        "\r\n",
      ),
    );
    assert.match(await answer(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*"done"/i);
    socket.destroy();
  });

  it("answers a client that sends no more", async () => {
    for (const request of [
      "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /slow HTTP/1.0\r\n\r\n",
      "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
      "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) {
      const { socket, answer } = dial();
      socket.end(request);
      const text = await answer();
      assert.equal(
        text.split(/"done"|page not found/).length,
        request.split("GET").length + request.split("POST").length - 1,
        `${request}: ${text}`,
      );
    }
  });

  it("notices that a client is gone, at once or after it had ended its input", async () => {
    for (const halfClose of [false, true]) {
      seen.gone = false;
      const { socket } = dial();
      socket.write("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
      if (halfClose) socket.end();
      // The server has seen the end of the input when it has answered another client.
      const other = dial();
      other.socket.end("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
      await other.answer();
      assert.equal(seen.gone, false);
      socket.destroy();
      for (const began = Date.now(); !seen.gone; await new Promise((resolve) => setTimeout(resolve, 10)))
        assert.ok(Date.now() - began < 5000);
    }
  });

  it("says what it cannot read as Go's server does", async () => {
    for (const request of [
      "GET /slow HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n",
      "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
      "no request\r\n\r\n",
    ]) {
      const { socket, answer } = dial();
      socket.write(request);
      assert.equal(
        await answer(),
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
      );
      socket.destroy();
    }
  });

  it("takes heads of a megabyte, and tells what is too much", async () => {
    const { socket, answer } = dial();
    socket.end(
      `GET /slow?filters=${"x".repeat(900_000)} HTTP/1.1\r\nHost: x\r\nX-More: ${"y".repeat(100_000)}\r\n\r\n`,
    );
    assert.match(await answer(), /^HTTP\/1\.1 200 OK/);
    const large = dial();
    large.socket.write(`GET /slow?${"x".repeat(1_100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(await large.answer(), /^HTTP\/1\.1 431 /);
    large.socket.destroy();
  });
});
