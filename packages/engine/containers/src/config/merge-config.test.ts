import assert from "node:assert/strict";
import { commandOf, completeConfig, mergeImageConfig } from "./merge-config.ts";

describe("configuration of a container and its image", () => {
  it("keeps what the client said and fills in the rest", () => {
    const config = completeConfig({ Image: "x", Env: ["A=own"], Labels: { a: "own" } });
    mergeImageConfig(config, {
      Env: ["A=image", "B=image"],
      Cmd: ["run"],
      Entrypoint: ["/init"],
      Labels: { a: "image", b: "image" },
      WorkingDir: "/w",
      Volumes: { "/v": {} },
    });
    assert.deepEqual(config.Env, ["A=own", "B=image"]);
    assert.deepEqual(config.Labels, { a: "own", b: "image" });
    assert.deepEqual(commandOf(config), ["/init", "run"]);
    assert.equal(config.WorkingDir, "/w");
    assert.deepEqual(config.Volumes, { "/v": {} });
  });

  it("drops the image's command with a new entrypoint, and its entrypoint on request", () => {
    const entry = completeConfig({ Entrypoint: ["echo"] });
    mergeImageConfig(entry, { Cmd: ["run"], Entrypoint: ["/init"] });
    assert.deepEqual(commandOf(entry), ["echo"]);
    const none = completeConfig({ Entrypoint: [""], Cmd: ["ls"] });
    mergeImageConfig(none, { Cmd: ["run"], Entrypoint: ["/init"] });
    assert.deepEqual(commandOf(none), ["ls"]);
    assert.throws(() => commandOf(completeConfig({})), { message: "no command specified" });
  });
});
