import assert from "node:assert/strict";
import { type Policy, parseEndpointRule, refusal } from "./policy.ts";

const open: Policy = { readOnly: false, containerLabels: [], endpoints: [] };

function rules(...texts: string[]): Policy {
  return { ...open, endpoints: texts.map((text) => parseEndpointRule(text) ?? assert.fail(text)) };
}

describe("policies of further sockets", () => {
  const lets = (policy: Policy, method: string, path: string): boolean => refusal(policy, method, path) === undefined;

  it("greets everybody", () => {
    for (const policy of [rules("GET /info"), { ...open, readOnly: true }, { ...open, containerLabels: ["a"] }]) {
      assert.ok(lets(policy, "HEAD", "/_ping"));
      assert.ok(lets(policy, "GET", "/version"));
    }
  });

  it("read-only: what changes nothing", () => {
    const policy = { ...open, readOnly: true };
    for (const [method, path] of [["GET", "/containers/json"], ["GET", "/containers/x/logs"], ["HEAD", "/containers/x/archive"], ["POST", "/containers/x/wait"], ["GET", "/events"]] as const) assert.ok(lets(policy, method, path), path);
    for (const [method, path] of [["POST", "/containers/create"], ["DELETE", "/containers/x"], ["PUT", "/containers/x/archive"], ["POST", "/containers/x/attach"], ["GET", "/containers/x/attach/ws"], ["POST", "/build"], ["POST", "/containers/x%2Fwait"]] as const) assert.ok(!lets(policy, method, path), path);
  });

  it("endpoints: only what a rule names", () => {
    const policy = rules("GET /containers/json", "POST /containers/{id}/restart", "* /networks/**", "GET /images/{name}/json", "POST /containers/web/stop");
    for (const [method, path] of [["GET", "/containers/json"], ["HEAD", "/containers/json"], ["POST", "/containers/a/restart"], ["DELETE", "/networks/x"], ["GET", "/images/a/b:1/json"], ["POST", "/containers/web/stop"]] as const) assert.ok(lets(policy, method, path), path);
    for (const [method, path] of [["POST", "/containers/json"], ["POST", "/containers/a/b/restart"], ["POST", "/containers//restart"], ["GET", "/networks"], ["DELETE", "/images/a/json"], ["POST", "/containers/web2/stop"], ["POST", "/containers/web/stop/x"]] as const) assert.ok(!lets(policy, method, path), path);
  });

  it("a dot in a rule is a dot", () => assert.ok(!lets(rules("GET /containers/a.b/json"), "GET", "/containers/axb/json")));

  it("labels: what stays within containers", () => {
    const policy = { ...open, containerLabels: ["team=web"] };
    for (const [method, path] of [["GET", "/containers/json"], ["POST", "/containers/x/start"], ["POST", "/exec/x/start"], ["GET", "/events"], ["POST", "/containers/prune"], ["GET", "/longshore/v1/containers/x/ports"]] as const) assert.ok(lets(policy, method, path), path);
    for (const [method, path] of [["POST", "/containers/create"], ["PUT", "/longshore/v1/containers/x/ports"], ["GET", "/images/json"], ["POST", "/commit"], ["POST", "/networks/x/connect"], ["POST", "/volumes/create"], ["GET", "/system/df"]] as const) assert.ok(!lets(policy, method, path), path);
  });

  it("knows what is no rule", () => {
    for (const text of ["", "GET", "/x", "get /x", "GET x", "GET /a /b"]) assert.equal(parseEndpointRule(text), undefined, text);
  });
});
