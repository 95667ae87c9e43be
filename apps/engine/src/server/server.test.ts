import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { METHODS, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { NotModified } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { FastifyInstance } from "fastify";
import { listen } from "../listeners/listen.ts";
import { readJson, readRequiredJson } from "./body/body.ts";
import { Filters } from "@longshore/list-filters";
import { hijack, rawStream } from "./takeover/hijack.ts";
import { Query } from "./query/query.ts";
import { apiVersionOf } from "./request.ts";
import { type AppOnSocket, serveOnSocket } from "./testing/app-on-socket.ts";
import { sendJson } from "./answer/send.ts";
import { struct, text } from "@longshore/go-json";

describe("the HTTP side", () => {
  let server: AppOnSocket;
  before(async () => {
    server = await serveOnSocket(addRoutes);
  });
  after(() => server.close());

  function addRoutes(app: FastifyInstance): void {
    app.get("/version-of", (request, reply) =>
      sendJson(reply, 200, { version: apiVersionOf(request), yes: new Query(request).bool("yes") }),
    );
    app.get("/length-of/:name", (request, reply) =>
      sendJson(reply, 200, (request.params as { name: string }).name.length),
    );
    app.get("/not-modified", () => {
      throw new NotModified("it is so already");
    });
    app.post("/json", async (request, reply) =>
      sendJson(reply, 200, await readRequiredJson(request, struct("x", { A: text }))),
    );
    app.post("/optional-json", async (request, reply) =>
      sendJson(reply, 200, (await readJson(request, struct("x", { A: text }))) ?? "none"),
    );
    app.post("/exec/:id/start", async (request, reply) => {
      const body = await readJson(request, struct("x", { A: text }));
      const socket = hijack(request, reply, rawStream);
      socket.write(`${body?.A}:`);
      socket.pipe(socket);
      return reply;
    });
  }

  async function ask(
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    const call = httpRequest({ socketPath: server.path, method, path, headers });
    call.end(body);
    const [response] = (await once(call, "response")) as [import("node:http").IncomingMessage];
    let answer = "";
    for await (const chunk of response) answer += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body: answer };
  }

  it("serves versions by prefix, and refuses those out of range", async () => {
    assert.equal((await ask("GET", "/v1.43/version-of?yes=False")).body, '{"version":"1.43","yes":false}\n');
    const answer = await ask("GET", "/version-of?yes=1");
    assert.equal(answer.body, '{"version":"1.51","yes":true}\n');
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["api-version"], "1.51");
    assert.equal(
      (await ask("GET", "/v1.99/version-of")).body,
      '{"message":"client version 1.99 is too new. Maximum supported API version is 1.51"}\n',
    );
    const old = await ask("GET", "/v1.10/version-of");
    assert.deepEqual([old.status, old.headers["content-type"]], [400, "text/plain; charset=utf-8"]);
  });

  it("reads a body for no method, also where no route is", async () => {
    const answers: [string, number][] = [];
    for (const method of METHODS.filter((name) => name !== "CONNECT")) {
      for (const type of ["application/json", "multipart/form-data", "foo"])
        answers.push([method, (await ask(method, "/nope", '{"a":', { "Content-Type": type })).status]);
    }
    assert.deepEqual(
      answers,
      answers.map(([method]) => [method, method === "OPTIONS" ? 200 : 404]),
    );
  });

  it("answers unknown paths, and a state that is so already, as Docker does", async () => {
    const unknown = await ask("GET", "/nope");
    assert.deepEqual(
      [unknown.status, unknown.body, unknown.headers["api-version"]],
      [404, '{"message":"page not found"}\n', undefined],
    );
    assert.equal((await ask("HEAD", "/version-of")).status, 404);
    assert.equal((await ask("GET", `/length-of/${"a".repeat(100_000)}`)).body, "100000\n");
    const same = await ask("GET", "/not-modified");
    assert.deepEqual([same.status, same.body], [304, ""]);
  });

  it("reads JSON bodies by Docker's rules", async () => {
    const type = { "Content-Type": "application/json" };
    const message = async (body: string, headers: Record<string, string> = type): Promise<string> =>
      (JSON.parse((await ask("POST", "/json", body, headers)).body) as { message: string }).message;
    assert.equal((await ask("POST", "/json", '{"a":"x"}', type)).body, '{"A":"x"}\n');
    assert.equal((await ask("POST", "/json", '{"A":"x"}}', type)).body, '{"A":"x"}\n');
    for (const empty of ["", " \n"])
      assert.equal(await message(empty), "invalid JSON: got EOF while reading request body");
    for (const cut of ["{", '{"a"', '{"a":', '{"a":"x', "nul", "["])
      assert.equal(await message(cut), "invalid JSON: unexpected EOF", cut);
    assert.equal(await message('{"a":}'), "invalid JSON: invalid character '}' looking for beginning of value");
    assert.equal(
      await message('{"a":5}y'),
      "invalid JSON: json: cannot unmarshal number into Go struct field x.a of type string",
    );
    for (const more of ["y", ",", "{}", " \u0001"])
      assert.equal(await message(`{"a":"x"}${more}`), "unexpected content after JSON", more);
  });

  it("takes no body where one may be missing, and one in chunks for a body", async () => {
    for (const headers of [{}, { "Content-Type": "application/json" }])
      assert.equal((await ask("POST", "/optional-json", undefined, headers)).body, '"none"\n');
    const chunked = { "Content-Type": "application/json", "Transfer-Encoding": "chunked" };
    assert.equal(
      (await ask("POST", "/optional-json", undefined, chunked)).body,
      '{"message":"invalid JSON: got EOF while reading request body"}\n',
    );
    assert.equal((await ask("POST", "/optional-json", "{}", chunked)).body, "{}\n");
  });

  it("tells what is wrong with a Content-Type as Docker does", async () => {
    const ofHeader = "Content-Type header";
    const cases: Record<string, string | undefined> = {
      "application/JSON; charset=utf-8": undefined,
      "application/json;": undefined,
      'application/json; charset="utf-8"': undefined,
      "": `malformed ${ofHeader} (): mime: no media type`,
      "text/plain": `unsupported ${ofHeader} (text/plain): must be 'application/json'`,
      application: `unsupported ${ofHeader} (application): must be 'application/json'`,
      "application/json; a": `malformed ${ofHeader} (application/json; a): mime: invalid media parameter`,
      'application/json; a="b': `malformed ${ofHeader} (application/json; a="b): mime: invalid media parameter`,
      "application/json; a=b; A=c": `malformed ${ofHeader} (application/json; a=b; A=c): mime: duplicate parameter name`,
      "a/b/c": `malformed ${ofHeader} (a/b/c): mime: unexpected content after media subtype`,
      "application/json x": `malformed ${ofHeader} (application/json x): mime: unexpected content after media subtype`,
      "application json": `malformed ${ofHeader} (application json): mime: expected slash after first token`,
      "/json": `malformed ${ofHeader} (/json): mime: no media type`,
      ";charset=x": `malformed ${ofHeader} (;charset=x): mime: no media type`,
      "application/": `malformed ${ofHeader} (application/): mime: expected token after slash`,
    };
    for (const [header, message] of Object.entries(cases)) {
      const { body } = await ask("POST", "/optional-json", "{}", { "Content-Type": header });
      assert.deepEqual(JSON.parse(body), message === undefined ? {} : { message }, header);
    }
    const { body } = await ask("POST", "/optional-json", undefined, { "Content-Type": "text/plain" });
    assert.deepEqual(JSON.parse(body), { message: cases["text/plain"] });
  });

  it("takes upgraded connections over with all bytes and half-closes", async () => {
    const socket = connect({ path: server.path, allowHalfOpen: true });
    const body = '{"A":"hey"}';
    socket.write(
      `POST /v1.43/exec/1/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}early `,
    );
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
      if (answer.endsWith("early ")) socket.end("late");
    });
    await once(socket, "end");
    assert.equal(
      answer,
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhey:early late",
    );
  });

  it("answers an upgrade that fails in plain HTTP and closes", async () => {
    const socket = connect(server.path);
    socket.write("POST /nope HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, "close");
    assert.match(answer, /^HTTP\/1\.1 404 Not Found\r\n[\s\S]*\{"message":"page not found"\}\n$/);
  });

  it("keeps its socket to root and a group, and does not take a live one from another daemon", async () => {
    assert.equal((await stat(server.path)).mode & 0o777, 0o660);
    await assert.rejects(
      listen({ scheme: "unix", path: server.path }, () => undefined, { group: "", log: silent }),
      /another daemon listens/,
    );
  });

  it("reads filters in both forms and refuses bad ones", () => {
    const filters = Filters.parse('{"label":["a=b","c"],"status":{"x":true,"y":false}}', ["label", "status"]);
    assert.deepEqual(filters.get("status"), ["x"]);
    assert.equal(filters.labels("label", { a: "b", c: "" }), true);
    assert.equal(filters.labels("label", { a: "b" }), false);
    assert.throws(() => Filters.parse("x"), { message: "invalid filter" });
    const patterns = Filters.parse(
      JSON.stringify({ name: ["^(a+)+$", "(", "x.z"], id: [`(?:${"a?".repeat(1000)}){1000}`] }),
    );
    assert.deepEqual(
      ["a".repeat(60), `${"a".repeat(60)}!`, "xyz"].map((name) => patterns.match("name", name)),
      [true, false, true],
    );
    assert.throws(() => patterns.match("id", "a"), {
      message: "invalid filter 'id': error parsing regexp: expression too large",
    });
    assert.throws(() => Filters.parse('{"foo":["a"]}', ["label"]), { message: "invalid filter 'foo'" });
  });
});
