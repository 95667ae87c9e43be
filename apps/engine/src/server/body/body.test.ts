import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { updateShape } from "@longshore/docker-api";
import { readJson } from "./body.ts";
import { BodyBudget } from "./body-budget.ts";
import { type AppOnSocket, serveOnSocket } from "../testing/app-on-socket.ts";
import { sendJson } from "../answer/send.ts";

describe("the memory for bodies", () => {
  let server: AppOnSocket;
  before(async () => {
    server = await serveOnSocket((app) => {
      app.post("/update", async (request, reply) => sendJson(reply, 200, await readJson(request, updateShape)));
    });
  });
  after(() => server.close());

  const head = (length: number): string =>
    `POST /update HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

  /** Sends the start of a request; the answer to come. */
  function send(...parts: (string | Buffer)[]): { socket: Socket; answer: Promise<string> } {
    const { socket, answer } = server.dial();
    for (const part of parts) socket.write(part);
    return { socket, answer: answer((text) => text.endsWith("}\n")) };
  }

  it("goes to the small ones first", async () => {
    const budget = new BodyBudget(100);
    const [small, large, next] = [budget.hold(), budget.hold(), budget.hold()];
    small.add(10);
    large.add(80);
    next.add(20);
    await assert.rejects(large.refused, { message: "too many request bodies are being read: try again later" });
    next.add(60);
    next.release();
    small.add(90);
    small.add(1);
    await assert.rejects(small.refused);
  });

  it("is bounded however many are half sent, and usual ones are read all the same", async () => {
    const size = 12 << 20;
    const began = process.memoryUsage().rss;
    const spaces = Buffer.alloc(size - 1, " ");
    const half = Array.from({ length: 20 }, () => send(head(size), spaces));
    // 64 MiB hold five of them; the others are told so.
    const enough = Promise.withResolvers<void>();
    let refused = 0;
    const answers = half.map(async (each) => {
      const text = await each.answer;
      if (/^HTTP\/1\.1 503 [\s\S]*Connection: close\r\n[\s\S]*too many request bodies/i.test(text) && ++refused === 15)
        enough.resolve();
    });
    await enough.promise;
    const { socket, answer } = send(head(14), '{"Memory":512}');
    assert.match(await answer, /^HTTP\/1\.1 200 OK[\s\S]*\{"Memory":512\}\n$/);
    assert.ok(process.memoryUsage().rss - began < 600 << 20);
    for (const each of [socket, ...half.map((one) => one.socket)]) each.destroy();
    await Promise.all(answers);
    assert.equal(refused, 15);
  });

  it("refuses what is too long, and closes the connection", async () => {
    const { answer, socket } = send(head(1 << 30), Buffer.alloc(17 << 20, " "));
    assert.match(await answer, /^HTTP\/1\.1 400 [\s\S]*http: request body too large/);
    if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  });

  it("is that of few long ones at a time", async () => {
    const body = `{"Memory":512${" ".repeat(2 << 20)}}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(head(body.length), body).answer));
    const served = answers.filter((text) => text.startsWith("HTTP/1.1 200 ")).length;
    const told = answers.filter((text) => /^HTTP\/1\.1 503 [\s\S]*too many large request bodies/.test(text)).length;
    assert.equal(served + told, 20);
    assert.ok(served >= 4, `${served} served`);
  });

  it("does not hold up others while two million members are read", async () => {
    const body = `{${Array.from({ length: 1_000_000 }, (_, index) => `"${index}":0`).join(",")}}`;
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const { answer, socket } = send(head(body.length), body);
    assert.match(await answer, /invalid JSON: more than 1000000 values/);
    clearInterval(timer);
    socket.destroy();
    assert.ok(longest < 1000, `${longest} ms`);
  });
});
