import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@longshore/logger";
import type { FastifyInstance } from "fastify";
import { listen } from "../../listeners/listen.ts";
import { createApp } from "../app.ts";

/** A connection of a client that says what it likes, and hears what comes. */
export interface Dialogue {
  readonly socket: Socket;
  /** What has come, one character for each byte, as soon as it is enough or no more can come. */
  answer(enough?: (text: string) => boolean): Promise<string>;
}

/** The HTTP application on a unix socket of its own. */
export interface AppOnSocket {
  readonly path: string;
  dial(): Dialogue;
  /** Sends one text and ends; everything that comes until the server ends. */
  exchange(text: string): Promise<string>;
  close(): Promise<void>;
}

function dial(path: string): Dialogue {
  const socket = connect({ path, allowHalfOpen: true });
  let text = "";
  const changed = new EventEmitter();
  const change = (): boolean => changed.emit("change");
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    change();
  });
  socket.on("end", change).on("error", change).on("close", change);
  return {
    socket,
    answer: async (enough = () => false) => {
      while (!enough(text) && !socket.readableEnded && !socket.destroyed) await once(changed, "change");
      return text;
    },
  };
}

/** @param addRoutes gives the application what it shall serve */
export async function serveOnSocket(addRoutes: (app: FastifyInstance) => void): Promise<AppOnSocket> {
  const dir = await mkdtemp(join(tmpdir(), "http-"));
  const path = join(dir, "s.sock");
  const app = createApp(silent, { experimental: false });
  addRoutes(app);
  await app.ready();
  const [listener] = await listen({ scheme: "unix", path }, app.routing.bind(app), { group: "", log: silent });
  assert.ok(listener !== undefined);
  return {
    path,
    dial: () => dial(path),
    exchange: async (text) => {
      const { socket, answer } = dial(path);
      socket.end(text, "latin1");
      const all = await answer();
      socket.destroy();
      return all;
    },
    close: async () => {
      await listener.close();
      await app.close();
      await rm(dir, { recursive: true });
    },
  };
}
