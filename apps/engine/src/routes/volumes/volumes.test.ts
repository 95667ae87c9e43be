import assert from "node:assert/strict";
import type { Volume } from "@longshore/docker-api";
import { Conflict, NotFound } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { VolumesBackend } from "@longshore/volumes";
import { createApp } from "../../server/app.ts";
import { volumeRoutes } from "./volumes.ts";

const volume: Volume = { Name: "v", Driver: "local", Mountpoint: "/v", Labels: null, Scope: "local", Options: null };

/** What the routes ask of volumes, in words. */
class FakeVolumes implements VolumesBackend {
  readonly asked: unknown[] = [];

  async create(options: object): Promise<Volume> {
    this.asked.push(["create", options]);
    return volume;
  }
  async get(name: string): Promise<Volume> {
    if (name !== "v") throw new NotFound(`get ${name}: no such volume`);
    return volume;
  }
  async list(filters: Parameters<VolumesBackend["list"]>[0]): Promise<{ volumes: Volume[]; warnings: string[] }> {
    this.asked.push(["list", filters.keys()]);
    return { volumes: [volume], warnings: [] };
  }
  async remove(name: string, force: boolean): Promise<void> {
    this.asked.push(["remove", name, force]);
  }
  async prune(_filters: unknown, all: boolean): Promise<{ deleted: string[]; reclaimed: number }> {
    if (this.asked.length > 0) throw new Conflict("a prune operation is already running");
    this.asked.push(["prune", all]);
    return { deleted: ["v"], reclaimed: 7 };
  }
  async usage(): Promise<Volume[]> {
    return [];
  }
}

describe("routes of volumes over a backend that is none", () => {
  let volumes = new FakeVolumes();
  let app = createApp(silent, { experimental: false });
  beforeEach(() => {
    volumes = new FakeVolumes();
    app = createApp(silent, { experimental: false });
    volumeRoutes(app, { volumes });
  });
  afterEach(() => app.close());

  async function ask(method: "GET" | "POST" | "DELETE", url: string, payload?: object): Promise<[number, unknown]> {
    const { statusCode, body } = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return [statusCode, body === "" ? "" : (JSON.parse(body) as unknown)];
  }

  it("render what it answers", async () => {
    assert.deepEqual(await ask("GET", "/volumes/v"), [200, volume]);
    assert.deepEqual(await ask("GET", "/volumes/w"), [404, { message: "get w: no such volume" }]);
    assert.deepEqual(await ask("GET", "/volumes"), [200, { Volumes: [volume], Warnings: null }]);
    assert.deepEqual(await ask("DELETE", "/volumes/v?force=1"), [204, ""]);
    assert.deepEqual(volumes.asked, [
      ["list", []],
      ["remove", "v", true],
    ]);
  });

  it("parse what it is asked, and ask it nothing that cannot be", async () => {
    assert.deepEqual(await ask("POST", "/volumes/create", { name: "v", labels: { a: "b" }, nope: 1 }), [201, volume]);
    assert.deepEqual(volumes.asked, [["create", { Name: "v", Labels: { a: "b" } }]]);
    assert.equal((await ask("POST", "/volumes/create", { Name: 1 }))[0], 400);
    assert.equal((await ask("GET", `/volumes?filters=${encodeURIComponent('{"x":["y"]}')}`))[0], 400);
    assert.equal(volumes.asked.length, 1);
  });

  it("prune, one at a time", async () => {
    assert.deepEqual(await ask("POST", "/volumes/prune"), [200, { VolumesDeleted: ["v"], SpaceReclaimed: 7 }]);
    assert.deepEqual(volumes.asked, [["prune", false]]);
    assert.deepEqual(await ask("POST", "/volumes/prune"), [409, { message: "a prune operation is already running" }]);
  });
});
