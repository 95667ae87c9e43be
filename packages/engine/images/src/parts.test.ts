import assert from "node:assert/strict";
import type { Progress } from "@longshore/proto/containerd/types/transfer/transfer";
import { credentialsOf } from "./registry/auth.ts";
import type { ProgressLine } from "./model/contract.ts";
import { pullProgress } from "./registry/pull.ts";

describe("parts of images", () => {
  it("reads a client's credentials", () => {
    assert.deepEqual(credentialsOf({}), { kind: "none" });
    assert.deepEqual(credentialsOf({ username: "u", password: "p" }), { kind: "basic", username: "u", password: "p" });
    assert.deepEqual(credentialsOf({ auth: Buffer.from("u:p:q").toString("base64") }), {
      kind: "basic",
      username: "u",
      password: "p:q",
    });
    assert.deepEqual(credentialsOf({ username: "u", identitytoken: "t" }), { kind: "identityToken", token: "t" });
    assert.deepEqual(credentialsOf({ registrytoken: "t" }), { kind: "header", authorization: "Bearer t" });
  });

  it("tells of layers that are fetched, not of those that are here", () => {
    const lines: ProgressLine[] = [];
    const report = pullProgress((line) => void lines.push(line));
    const message = (event: string, name: string, progress = 0n): void =>
      report({ event, name, parents: [], progress, total: 10n } as unknown as Progress);
    const layer = `layer-sha256:${"a".repeat(64)}`;
    message("waiting", layer);
    message("downloading", layer, 5n);
    message("complete", layer, 10n);
    message("extracted", layer);
    message("complete", `config-sha256:${"b".repeat(64)}`);
    message("already exists", `layer-sha256:${"c".repeat(64)}`);
    assert.deepEqual(lines, [
      { status: "Pulling fs layer", progressDetail: {}, id: "a".repeat(12) },
      { status: "Downloading", progressDetail: { current: 5, total: 10 }, id: "a".repeat(12) },
      { status: "Download complete", progressDetail: { hidecounts: true }, id: "a".repeat(12) },
      { status: "Pull complete", progressDetail: { hidecounts: true }, id: "a".repeat(12) },
    ]);
  });
});
