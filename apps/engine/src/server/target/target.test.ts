import assert from "node:assert/strict";
import { routeTarget } from "./route-target.ts";
import { parseTarget } from "./target.ts";

/** What the router gets, where a client is sent, or 400: as Docker 28.5 answered. */
const cases: [target: string, expected: string | { movedTo: string } | 400, method?: string][] = [
  ["/_ping", "/_ping"],
  ["/_ping#", "/_ping%23"],
  ["/containers/create#/wait", "/containers/create%23/wait", "POST"],
  ["/containers/json#x", "/containers/json%23x"],
  ["/containers/a#b/json", "/containers/a%23b/json"],
  ["/containers/a%23b/json", "/containers/a%23b/json"],
  ["/containers/%63reate", "/containers/create", "POST"],
  ["/containers%2Fcreate", "/containers/create", "POST"],
  ["/containers/./json", { movedTo: "/containers/json" }],
  ["/containers/../containers/json", { movedTo: "/containers/json" }],
  ["/containers//json?all=1#x", { movedTo: "/containers/json?all=1%23x" }],
  ["/%2e%2e/containers/json", { movedTo: "/containers/json" }],
  ["/containers/a%2f%2fb/json", { movedTo: "/containers/a/b/json" }],
  ["/images/x%2F..%2Fjson", { movedTo: "/images/json" }],
  ["//foo/_ping", { movedTo: "/foo/_ping" }],
  ["///_ping", { movedTo: "/_ping" }],
  ["/%2f_ping", { movedTo: "/_ping" }],
  ["*", { movedTo: "/%2A" }],
  ["/containers/a%2Fb/json", "/containers/a%2Fb/json"],
  ["/containers/a/b/json", "/containers/a%2Fb/json"],
  ["/containers/a/b/c/logs/json", "/containers/a%2Fb%2Fc%2Flogs/json"],
  ["/containers/a/b/attach/ws", "/containers/a%2Fb/attach/ws"],
  ["/containers/attach/ws", "/containers/attach/ws"],
  ["/containers/a/b", "/containers/a%2Fb", "DELETE"],
  ["/containers/a/b/", "/containers/a%2Fb%2F", "DELETE"],
  ["/containers/a/checkpoints/b", "/containers/a/checkpoints/b", "DELETE"],
  ["/containers/a/checkpoints", "/containers/a%2Fcheckpoints", "DELETE"],
  ["/exec/a/b/start", "/exec/a%2Fb/start", "POST"],
  ["/networks/a/b", "/networks/a%2Fb"],
  ["/networks/a/b/connect", "/networks/a%2Fb/connect", "POST"],
  ["/containers/json/", "/"],
  ["/nodes/", "/"],
  ["/containers/", "/containers/", "DELETE"],
  ["/v1.40/_ping", "/_ping"],
  ["/%761.40/_ping", "/_ping"],
  ["/v1.40%2f_ping", "/_ping"],
  ["/v1.40", "/v1.40"],
  ["/v1.40/", "/"],
  ["/v1.40/v1.40/_ping", "/v1.40/_ping"],
  ["/v1.a/_ping", "/v1.a/_ping"],
  ["http://foo/_ping", "/_ping"],
  ["HTTP://u:p@[::1]:80/v1.40/_ping?x", "/_ping"],
  ["http:///_ping", "/_ping"],
  ["foo:/_ping", "/_ping"],
  ["http://foo", { movedTo: "/" }],
  ["http://foo?x", { movedTo: "/?x" }],
  ["http://foo#a/b/_ping", 400],
  ["http://foo%/_ping", 400],
  ["http://a:b/_ping", 400],
  ["http://[::1/_ping", 400],
  ["_ping", 400],
  ["x/_ping", 400],
  ["%2f_ping", 400],
  ["/containers/%zz/json", 400],
  ["/containers/%/json", 400],
  ["/a b", 400],
  ["/_ping?%zz", "/_ping"],
  ["/containers/%00/json", "/containers/%00/json"],
  ["/containers/x%0ay/json", "/"],
  ["/containers/%ff/json", "/containers/%EF%BF%BD/json"],
  ["/containers/\u00c3\u00a9/json", "/containers/%C3%A9/json"],
  ["/containers/%C3%A9/json", "/containers/%C3%A9/json"],
  ["/containers/a?b/json", "/containers/a"],
  ["/containers/a%3Fb/json", "/containers/a%3Fb/json"],
  ["/containers/a%252Fb/json", "/containers/a%252Fb/json"],
  ["/containers/a\\b/json", "/containers/a%5Cb/json"],
];

describe("request targets", () => {
  for (const [raw, expected, method = "GET"] of cases) {
    it(`${method} ${JSON.stringify(raw)}`, () => {
      const target = parseTarget(raw);
      assert.deepEqual("path" in target ? routeTarget(target, method) : "malformed" in target ? 400 : target, expected);
    });
  }

  it("versions are those of the prefix, also malformed ones", () => {
    const version = (raw: string): unknown => Reflect.get(parseTarget(raw), "version");
    assert.deepEqual(["/v1.40/_ping", "/v.1/_ping", "/v1./_ping", "/_ping"].map(version), ["1.40", ".1", "1.", "1.51"]);
  });

  it("plugins are shown one spelling, the query as it is", () => {
    const uri = (raw: string): unknown => Reflect.get(parseTarget(raw), "uri");
    assert.equal(
      uri("/v1.43/containers/json?filters=%7B%22a%22%7D&b=1;c"),
      "/v1.43/containers/json?filters=%7B%22a%22%7D&b=1;c",
    );
    assert.equal(uri("/v1.43/images/a/b:c@sha256:0/json"), "/v1.43/images/a/b:c@sha256:0/json");
    assert.equal(uri("http://x/containers/%63reate#/wait?a=#b"), "/containers/create%23/wait?a=%23b");
  });
});
