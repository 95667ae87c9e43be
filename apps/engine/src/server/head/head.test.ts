import assert from "node:assert/strict";
import { InvalidArgument } from "@longshore/errdefs";
import { struct } from "@longshore/go-json";
import { sendJson } from "../answer/send.ts";
import { readRequiredJson } from "../body/body.ts";
import { type AppOnSocket, serveOnSocket } from "../testing/app-on-socket.ts";
import { recorded } from "./testing/recorded.ts";

/** What differs on purpose: see docs/joints.md. */
const meant: Record<string, [status: string, closed: boolean]> = {
  ...all(
    ["400 Bad Request", true],
    [
      // Lines end with CR and LF.
      "LF alone",
      "LF line, CRLF headers",
      "CRLF line, LF headers",
      "LF end",
      "continuation",
      "PRI",
      // What parsers of bodies read differently is refused by the head, or as soon as it is seen.
      "two lengths, same",
      "length empty",
      "length and chunked",
      "chunked and length",
      "identity",
      "chunk size 0x2",
      "chunk size +2",
      "chunk size with space",
      "chunk LF",
      "chunk too long",
      "chunk huge",
      "HTTP/1.0 chunked body",
      // Less is said of it.
      "name with space",
      "space before colon",
    ],
  ),
  ...all(["200 OK", false], ["empty lines before", "LF before", "two spaces", "two spaces before version"]),
  ...all(["200 OK", true], ["continue without body", "two expectations"]),
  ...all(
    ["404 Not Found", true],
    [
      "FOO unknown path",
      "FOO known path",
      "foo",
      "get",
      "method with !",
      "CONNECT authority",
      "CONNECT path",
      "CONNECT host alone",
    ],
  ),
  ...all(["505 HTTP Version Not Supported: unsupported protocol version", true], ["HTTP/1.2", "HTTP/1.9"]),
};

function all<T>(value: T, names: string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

type Answer = [status: string, type: string, body: string];

/** The answers in what came; undefined while the last is not whole. */
function parse(text: string, closed: boolean, head: boolean): Answer[] | undefined {
  const answers: Answer[] = [];
  for (let rest = text; rest !== "";) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const [line = "", ...headers] = rest.slice(0, end).split("\r\n");
    const of = (name: string): string | undefined =>
      headers.find((header) => header.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2);
    const status = line.slice("HTTP/1.1 ".length);
    const length = of("content-length");
    const whole = rest.slice(end + 4);
    if (length === undefined && !closed && status !== "100 Continue") return undefined;
    const size = head || status === "100 Continue" ? 0 : Number(length ?? whole.length);
    if (whole.length < size) return undefined;
    answers.push([status, of("content-type") ?? "", whole.slice(0, size)]);
    rest = whole.slice(size);
  }
  return answers;
}

describe("heads of requests", () => {
  let server: AppOnSocket;
  before(async () => {
    server = await serveOnSocket((app) => {
      app.get("/_ping", (_request, reply) => reply.type("text/plain; charset=utf-8").send("OK"));
      app.head("/_ping", (_request, reply) =>
        reply.type("text/plain; charset=utf-8").header("Content-Length", 0).send(),
      );
      app.get("/info", (_request, reply) => sendJson(reply, 200, {}));
      app.post("/containers/create", async (request) => {
        await readRequiredJson(request, struct("x", {}));
        throw new InvalidArgument("config cannot be empty in order to create a container");
      });
    });
  });
  after(() => server.close());

  for (const [name, request, answers, closed] of recorded) {
    it(`${name}${name in meant ? ", which differs on purpose" : ""}`, async () => {
      const { socket, answer } = server.dial();
      socket.write(request, "latin1");
      const head = request.startsWith("HEAD");
      const [status, ends] = meant[name] ?? [undefined, closed];
      const count = status === undefined ? answers.length : 1;
      const text = await answer((so) => !ends && (parse(so, false, head)?.length ?? 0) >= count);
      const found = parse(text, ends, head);
      // A connection that was not closed serves a further request.
      if (!ends) {
        socket.write("GET /info HTTP/1.1\r\nHost: x\r\n\r\n");
        assert.match(await answer((so) => so.endsWith("{}\n")), /\{\}\n$/);
      }
      socket.destroy();
      if (status === undefined) assert.deepEqual(found, answers);
      else assert.equal(found?.[0]?.[0], status);
    });
  }
});
