import assert from "node:assert/strict";
import type { Container } from "@longshore/containers";
import { NotFound } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { Backends } from "../../backends.ts";
import { createApp } from "../../server/app.ts";
import { Query } from "../../server/query/query.ts";
import { readTarget } from "../../server/request.ts";
import { checkpointRoutes, refuseCheckpoint, refuseCheckpoints } from "./checkpoints.ts";

describe("checkpoints", () => {
  const container = { id: "c0ffee", name: "c1", alive: false };
  const config = { experimental: true };
  const containers = {
    find: (name: string) => {
      if (name === "c1") return container;
      throw new NotFound(`No such container: ${name}`);
    },
  };
  const app = createApp(silent, { experimental: true });
  checkpointRoutes(app, { config, containers } as unknown as Backends);
  const ask = async (method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<[number, unknown]> => {
    const { statusCode, payload } = await app.inject({
      method,
      url: `/containers/${path}`,
      ...(body === undefined ? {} : { payload: body }),
    });
    const answer = JSON.parse(payload) as { message?: string };
    return [statusCode, answer.message ?? answer];
  };
  beforeEach(() => {
    container.alive = false;
    config.experimental = true;
  });
  after(() => app.close());

  it("there are none", async () => {
    assert.deepEqual(await ask("GET", "c1/checkpoints"), [200, []]);
    assert.deepEqual(await ask("GET", "no/checkpoints"), [404, "No such container: no"]);
    assert.deepEqual(await ask("DELETE", "c1/checkpoints/ck"), [500, "checkpoint ck does not exist for container c1"]);
  });

  it("are made of running containers only", async () => {
    assert.deepEqual(await ask("POST", "c1/checkpoints", { CheckpointID: "a b" }), [
      409,
      "container c0ffee is not running",
    ]);
    container.alive = true;
    assert.deepEqual(await ask("POST", "c1/checkpoints", { CheckpointID: "a b" }), [
      500,
      "Invalid checkpoint ID (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
    ]);
    assert.equal((await ask("POST", "c1/checkpoints", { CheckpointID: "ck" }))[0], 501);
  });

  it("are an experiment", async () => {
    config.experimental = false;
    assert.equal((await ask("GET", "c1/checkpoints"))[0], 501);
    assert.equal((await ask("POST", "c1/checkpoints", {}))[0], 501);
  });

  it("a start from one that is not there fails, unless the container runs", () => {
    const query = (text: string): Query => {
      const raw = { url: `/x?${text}` };
      readTarget(raw as never);
      return new Query({ raw } as never);
    };
    const start = (text: string) => refuseCheckpoint(query(text), container as unknown as Container);
    assert.throws(() => refuseCheckpoints(query("checkpoint=ck")), {
      message: "checkpoint is only supported in experimental mode",
    });
    assert.throws(() => start("checkpoint=ck"), { message: "checkpoint ck does not exist for container /c1" });
    assert.throws(() => start("checkpoint=ck&checkpoint-dir=/x"), { message: "custom checkpointdir is not supported" });
    start("");
    container.alive = true;
    start("checkpoint=ck");
  });
});
