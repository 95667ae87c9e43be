import assert from "node:assert/strict";
import { redact } from "./redact.ts";

describe("redact", () => {
  it("hides values of the environment and all that looks like a secret", () => {
    assert.deepEqual(redact({ Image: "a", Env: ["A=1", "B"], Cmd: ["x=y"], password: "p", HostConfig: { LogConfig: { Config: { "splunk-token": "t" } }, Privileged: true } }), {
      Image: "a",
      Env: ["A=[hidden]", "B"],
      Cmd: ["x=y"],
      password: "[hidden]",
      HostConfig: { LogConfig: { Config: { "splunk-token": "[hidden]" } }, Privileged: true },
    });
  });
});
