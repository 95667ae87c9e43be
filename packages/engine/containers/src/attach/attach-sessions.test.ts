import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Attachment } from "./attach-sessions.ts";

describe("an attachment to a shim from before it searched for detach keys", () => {
  let dir: string;
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "longshore-attach-"))));
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    rmSync(dir, { recursive: true });
  });

  function serve(name: string, take: (socket: Socket) => void): string {
    const path = join(dir, name);
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      sockets.push(socket.on("error", () => undefined));
      take(socket);
    });
    servers.push(server.listen(path));
    return path;
  }

  for (const knowsHandover of [true, false])
    it(`is searched by the engine (it ${knowsHandover ? "took" : "did not take"} connections over)`, async () => {
      const greetings: { handover: boolean }[] = [];
      let input = "";
      const shim = serve("shim.sock", (socket) => {
        socket.once("data", (line: Buffer) => {
          const greeting = JSON.parse(String(line)) as { handover: boolean };
          greetings.push(greeting);
          socket.write(
            `${JSON.stringify({ terminal: true, ...(greeting.handover && knowsHandover ? { handover: true } : {}) })}\n`,
          );
          socket.on("data", (bytes: Buffer) => {
            input += bytes.toString();
            socket.write(bytes);
          });
        });
        socket.resume();
      });
      const accepted = Promise.withResolvers<Socket>();
      const client = connect(serve("client.sock", accepted.resolve));
      sockets.push(client.on("error", () => undefined));
      const request = { stdin: true, stdout: true, stderr: true, detachKeys: [16, 17] };
      const attachment = new Attachment(request, await accepted.promise);
      await attachment.join(shim, "");
      attachment.flow();
      client.write("a\x10b");
      let shown = "";
      while (shown.length < 3) shown += String((await once(client, "data"))[0]);
      client.write("\x10\x11");
      assert.equal(await attachment.done, "detached");
      assert.deepEqual([input, shown], ["a\x10b", "a\x10b"]);
      assert.deepEqual(
        greetings.map(({ handover }) => handover),
        [true, false],
      );
    });
});
