import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@longshore/logger";
import { listen } from "./listen.ts";

describe("the queue of new connections", () => {
  it("takes two thousand that come at once", async () => {
    const dir = await mkdtemp(join(tmpdir(), "backlog-"));
    const path = join(dir, "s.sock");
    const [listener] = await listen({ scheme: "unix", path }, (_request, response) => response.end(), {
      group: "",
      log: silent,
    });
    // All are asked for in one turn, in which the server, which is this process, accepts none.
    const clients: Socket[] = Array.from(
      { length: Math.min(2000, Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"))) },
      () => connect(path),
    );
    try {
      await Promise.all(clients.map((client) => once(client, "connect")));
      assert.ok(clients.every((client) => !client.destroyed));
    } finally {
      for (const client of clients) client.on("error", () => undefined).destroy();
      await listener?.close();
      await rm(dir, { recursive: true });
    }
  });
});
