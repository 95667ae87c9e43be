import assert from "node:assert/strict";
import { silent } from "@longshore/logger";
import { createApp } from "../server/app.ts";
import { guard } from "./guard.ts";
import { type Policy, parseEndpointRule } from "./policy.ts";
import { bindPolicy } from "./socket-policy.ts";
import { addRecorders } from "./testing/recorder.ts";

const open: Policy = { readOnly: false, containerLabels: [], endpoints: [] };

function rules(...texts: string[]): Policy {
  return { ...open, endpoints: texts.map((text) => parseEndpointRule(text) ?? assert.fail(text)) };
}

describe("policies of further sockets", () => {
  const app = createApp(silent, { experimental: false });
  let policy = open;
  app.addHook("onRequest", (request, _reply, done) => {
    bindPolicy(request.raw.socket, policy);
    done();
  });
  guard(app);
  const all = addRecorders(app, () => undefined);
  before(() => app.ready());
  after(() => app.close());

  const status = async (request: string): Promise<number> => {
    const [method, url] = request.split(" ") as ["GET", string];
    return (await app.inject({ method, url })).statusCode;
  };
  const verdicts = async (given: Policy, lets: string[], refuses: string[]): Promise<void> => {
    policy = given;
    for (const request of lets) assert.equal(await status(request), 200, request);
    for (const request of refuses) assert.equal(await status(request), 403, request);
  };
  /** The routes that a policy lets through, each asked for with a name in its pattern's places. */
  const letThrough = async (given: Policy): Promise<string[]> => {
    policy = given;
    const through: string[] = [];
    for (const route of all) if ((await status(route.replaceAll(/:\w+|\*/g, "n"))) === 200) through.push(route);
    return through;
  };

  it("greets everybody", async () => {
    for (const one of [rules("GET /info"), { ...open, readOnly: true }, { ...open, containerLabels: ["a"] }])
      await verdicts(one, ["HEAD /_ping", "GET /_ping", "GET /version"], []);
  });

  it("read-only: all routes that change nothing, and no other", async () => {
    const reads = all.filter((route) => /^(GET|HEAD) /.test(route) && route !== "GET /containers/:name/attach/ws");
    assert.deepEqual(
      await letThrough({ ...open, readOnly: true }),
      [...reads, "POST /containers/:name/wait"].sort((a, b) => all.indexOf(a) - all.indexOf(b)),
    );
    assert.ok(reads.length > 30);
  });

  it("read-only: by the route, not by its spelling", async () => {
    await verdicts(
      { ...open, readOnly: true },
      ["POST /containers/x%2Fy/wait", "POST /containers/x%23/wait"],
      [
        "POST /containers/%63reate",
        "POST /v1.40/containers%2Fcreate",
        "POST /images/x/wait/push",
        "GET /containers/a/b/attach/ws",
        "GET /containers/x/attach%2fws",
      ],
    );
  });

  it("endpoints: only what a rule names", async () => {
    await verdicts(
      rules(
        "GET /containers/json",
        "POST /containers/{id}/restart",
        "* /networks/**",
        "GET /images/{name}/json",
        "POST /containers/web/stop",
      ),
      [
        "GET /containers/json",
        "POST /containers/a/restart",
        "DELETE /networks/x",
        "GET /images/a/b:1/json",
        "POST /containers/web/stop",
        "POST /containers/%77eb/stop",
        "POST /containers/a%2Fb/restart",
      ],
      [
        "POST /containers/prune",
        "GET /networks",
        "DELETE /images/a/json",
        "POST /containers/web2/stop",
        "POST /containers/web%23/stop",
        "POST /containers/web%252Fx/stop",
        "POST /containers/web%2Fx/stop",
      ],
    );
  });

  it("a dot in a rule is a dot", () => verdicts(rules("GET /containers/a.b/json"), [], ["GET /containers/axb/json"]));

  it("labels: all that stays within containers, and no other", async () => {
    const beyond = ["POST /containers/create", "PUT /longshore/v1/containers/:name/ports"];
    const within = all.filter(
      (route) => /^\w+ (?:\/longshore\/v1)?\/(?:containers|exec)\//.test(route) && !beyond.includes(route),
    );
    const greeting = ["GET /_ping", "HEAD /_ping", "GET /version", "GET /info", "GET /events"];
    assert.deepEqual(
      (await letThrough({ ...open, containerLabels: ["team=web"] })).sort(),
      [...within, ...greeting].sort(),
    );
    assert.ok(within.length > 25);
  });

  it("knows what is no rule", () => {
    for (const text of ["", "GET", "/x", "get /x", "GET x", "GET /a /b"])
      assert.equal(parseEndpointRule(text), undefined, text);
  });
});
