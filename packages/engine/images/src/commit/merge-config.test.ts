import assert from "node:assert/strict";
import type { ImageConfig } from "@longshore/docker-api";
import { imageConfigOf, mergeConfig, withoutEmpty } from "./merge-config.ts";

describe("mergeConfig", () => {
  const base: ImageConfig = {
    Env: ["Z=z", "A=1"],
    Labels: { l: "v" },
    Entrypoint: ["/ep"],
    Cmd: ["sleep"],
    User: "me",
    Healthcheck: { Test: ["CMD", "x"], Interval: 2 },
    Volumes: { "/v": {} },
    OnBuild: ["RUN a"],
    Shell: ["/s"],
  };

  it("keeps what an image has, and writes nothing empty", () => {
    assert.deepEqual(withoutEmpty(imageConfigOf({ Hostname: "h", Env: [], Cmd: ["a"], Labels: null, User: "" })), {
      Cmd: ["a"],
    });
  });

  /** What Docker 28.5 makes of a commit whose request says `own`. */
  const cases: [own: ImageConfig, merged: ImageConfig][] = [
    [base, base],
    [
      { Env: ["R=1", "A=9"], Cmd: ["c"] },
      { ...base, Env: ["R=1", "A=9", "Z=z"], Cmd: ["c"] },
    ],
    [{ Entrypoint: ["e"] }, { ...base, Entrypoint: ["e"], Cmd: null }],
    [{ Entrypoint: [] }, { ...base, Entrypoint: [] }],
    [{ Healthcheck: { Interval: 5 } }, { ...base, Healthcheck: { Test: ["CMD", "x"], Interval: 5 } }],
    [
      { Labels: { l: "w", m: "n" }, Volumes: { "/r": {} } },
      { ...base, Labels: { l: "w", m: "n" }, Volumes: { "/v": {}, "/r": {} } },
    ],
  ];
  for (const [own, merged] of cases) {
    it(`of ${JSON.stringify(own)}`, () => {
      // Instructions for builds and the shell are the request's alone.
      const { OnBuild: _, Shell: __, ...rest } = merged;
      assert.deepEqual(withoutEmpty(mergeConfig(own, base)), withoutEmpty(own === base ? merged : rest));
    });
  }
});
