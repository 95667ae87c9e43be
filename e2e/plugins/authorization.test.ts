import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { makeCertificates } from "../engine/certificates.ts";
import { Longshore } from "../engine/longshore.ts";
import { exec } from "../host/exec.ts";
import { freePort } from "../host/port.ts";
import { until } from "../host/until.ts";
import { TestPlugin } from "./plugin.ts";

interface Question {
  User?: string;
  UserAuthNMethod?: string;
  RequestMethod: string;
  RequestUri: string;
  RequestBody?: string;
  RequestHeaders: Record<string, string>;
  ResponseStatusCode?: number;
  ResponseBody?: string;
}

describe("authorization plugins", () => {
  const longshore = new Longshore({ bridge: `lsz${process.pid}`, address: `10.217.${process.pid % 250}.1/24` });
  const at = (name: string): string => join(longshore.dir, name);
  let refuseRequest = (_question: Question): string => "";
  let refuseAnswer = (_question: Question): string => "";
  const verdict = (message: string) => ({ Allow: message === "", Msg: message, Err: "" });
  const first = new TestPlugin("authz", ["authz"], {
    "AuthZPlugin.AuthZReq": (body) => verdict(refuseRequest(body as unknown as Question)),
    "AuthZPlugin.AuthZRes": (body) => verdict(refuseAnswer(body as unknown as Question)),
  });
  const second = new TestPlugin("authz2", ["authz"], {
    "AuthZPlugin.AuthZReq": () => verdict(""),
    "AuthZPlugin.AuthZRes": () => verdict(""),
  });
  const configure = (...plugins: TestPlugin[]): void =>
    writeFileSync(at("daemon.json"), JSON.stringify({ "authorization-plugins": plugins.map(({ name }) => name) }));
  const asked = (method: "AuthZReq" | "AuthZRes", path: string): Question[] =>
    (first.asked(`AuthZPlugin.${method}`) as unknown as Question[]).filter(({ RequestUri }) =>
      RequestUri.includes(path),
    );
  let port = 0;

  before(async function () {
    this.timeout(60_000);
    await first.start();
    await second.start();
    configure(first, second);
    await makeCertificates(longshore.dir);
    port = await freePort();
    await longshore.start();
    await importBusybox(longshore);
  });
  beforeEach(() => {
    refuseRequest = refuseAnswer = () => "";
    first.calls.splice(0);
    second.calls.splice(0);
  });
  after(async function () {
    this.timeout(60_000);
    refuseRequest = refuseAnswer = () => "";
    await longshore.dispose();
    await first.stop();
    await second.stop();
  });

  it("are told of method, URI, headers and JSON bodies, of the answer too", async () => {
    await longshore.ok(["volume", "create", "--label", "a=b", "asked"]);
    const [request] = asked("AuthZReq", "/volumes/create");
    assert.equal(request?.RequestMethod, "POST");
    assert.match(request?.RequestUri ?? "", /^\/v1\.\d+\/volumes\/create$/);
    assert.equal(JSON.parse(Buffer.from(request?.RequestBody ?? "", "base64").toString()).Labels.a, "b");
    assert.match(request?.RequestHeaders["User-Agent"] ?? "", /^Docker-Client/);
    const [answer] = asked("AuthZRes", "/volumes/create");
    assert.equal(answer?.ResponseStatusCode, 201);
    assert.equal(JSON.parse(Buffer.from(answer?.ResponseBody ?? "", "base64").toString()).Name, "asked");
    assert.equal(second.asked("AuthZPlugin.AuthZReq").length, first.asked("AuthZPlugin.AuthZReq").length);
    assert.deepEqual(JSON.parse(await longshore.ok(["info", "-f", "{{json .Plugins.Authorization}}"])), [
      first.name,
      second.name,
    ]);
  });

  it("a denial keeps the request from being served, and later plugins from being asked", async () => {
    refuseRequest = ({ RequestUri }) => (RequestUri.includes("/volumes/create") ? "not you" : "");
    assert.equal(
      (await longshore.docker(["volume", "create", "denied"])).stderr.trim(),
      `Error response from daemon: authorization denied by plugin ${first.name}: not you`,
    );
    assert.ok(!second.calls.some(({ body }) => String(body["RequestUri"]).includes("/volumes/create")));
    refuseRequest = () => "";
    refuseAnswer = ({ RequestUri }) => (RequestUri.endsWith("/volumes") ? "secret" : "");
    assert.equal(
      (await longshore.docker(["volume", "ls"])).stderr.trim(),
      `Error response from daemon: authorization denied by plugin ${first.name}: secret`,
    );
    refuseAnswer = () => "";
    assert.ok(!(await longshore.ok(["volume", "ls", "-q"])).split("\n").includes("denied"));
  });

  it("bodies pass whole, and are shown when they are JSON but for passwords; of an error its headers are", async () => {
    const post = async (path: string, body: string, type?: string): Promise<number> => {
      const headers = type === undefined ? [] : ["-H", `Content-Type: ${type}`];
      const { stdout } = await exec(
        "curl",
        [
          "-s",
          "-o",
          at("answer"),
          "-w",
          "%{http_code}",
          "--unix-socket",
          at("docker.sock"),
          "-H",
          "X-Registry-Auth: secret",
          "-H",
          "X-Registry-Config: secret",
          ...headers,
          "--data-binary",
          "@-",
          `http://engine${path}`,
        ],
        { input: body },
      );
      return Number(stdout);
    };
    const last = (path: string) => ({
      request: asked("AuthZReq", path).at(-1),
      answer: asked("AuthZRes", path).at(-1),
    });
    const create = "/v1.51/volumes/create";
    const long = JSON.stringify({ Name: "long", Labels: { a: "x".repeat(2 << 20) } });
    assert.equal(await post(create, long, "Application/JSON; charset=utf-8"), 201);
    assert.equal(Buffer.from(last(create).request?.RequestBody ?? "", "base64").toString(), long);
    assert.deepEqual(
      Object.keys(last(create).request?.RequestHeaders ?? {}).filter((name) => name.startsWith("X-")),
      [],
    );
    assert.equal(await post(create, "{}", "text/plain"), 400);
    const { request, answer } = last(create);
    assert.equal(request?.RequestBody, undefined);
    assert.deepEqual([answer?.ResponseStatusCode, answer?.ResponseBody], [undefined, undefined]);
    assert.deepEqual(Object.keys((answer as { ResponseHeaders?: object } | undefined)?.ResponseHeaders ?? {}), [
      "Api-Version",
      "Docker-Experimental",
      "Ostype",
      "Server",
    ]);
    assert.ok(
      (await post(
        "/v1.51/auth",
        '{"username":"u","password":"p","serveraddress":"127.0.0.1:1"}',
        "application/json",
      )) >= 400,
    );
    assert.equal(last("/auth").request?.RequestBody, undefined);
    await longshore.ok(["volume", "rm", "long"]);
  });

  it("streams and taken-over connections pass unhindered", async () => {
    const run = await longshore.docker(["run", "-i", "--rm", "busybox", "sh", "-c", "read word; echo got $word"], {
      input: "word\n",
    });
    assert.equal(run.stdout, "got word\n", run.stderr);
    await until("the end of the attach", () => asked("AuthZRes", "/attach").length === 1);
    assert.equal(asked("AuthZReq", "/attach").length, 1);
    await longshore.ok(["run", "-d", "--name", "stays", "busybox", "sleep", "100"]);
    assert.equal(await longshore.ok(["exec", "stays", "echo", "inside"]), "inside");
    await longshore.ok(["cp", at("ca.pem"), "stays:/ca.pem"]);
    await longshore.ok(["rm", "-f", "stays"]);
    assert.deepEqual(asked("AuthZRes", "/nothing"), []);
  });

  it("know who comes by TLS, and are changed by a reload", async () => {
    await longshore.engine.stop();
    await longshore.engine.start([
      "-H",
      `tcp://127.0.0.1:${port}`,
      "--tlsverify",
      "--tlscacert",
      at("ca.pem"),
      "--tlscert",
      at("server.pem"),
      "--tlskey",
      at("server.key"),
    ]);
    await longshore.ok([
      "-H",
      `tcp://127.0.0.1:${port}`,
      "--tlsverify",
      "--tlscacert",
      at("ca.pem"),
      "--tlscert",
      at("client.pem"),
      "--tlskey",
      at("client.key"),
      "volume",
      "ls",
    ]);
    const [request] = asked("AuthZReq", "/volumes");
    assert.deepEqual([request?.User, request?.UserAuthNMethod], ["client", "TLS"]);
    configure(second);
    process.kill(longshore.engine.pid, "SIGHUP");
    await until(
      "the reload",
      async () =>
        (await longshore.ok(["info", "-f", "{{json .Plugins.Authorization}}"])) === JSON.stringify([second.name]),
    );
  });

  it("a plugin that fails denies; it is asked again once it works", async () => {
    second.methods["AuthZPlugin.AuthZReq"] = () => {
      throw new Error("out of order");
    };
    assert.equal(
      (await longshore.docker(["volume", "ls"])).stderr.trim(),
      `Error response from daemon: plugin ${second.name} failed with error: AuthZPlugin.AuthZReq: out of order`,
    );
    second.methods["AuthZPlugin.AuthZReq"] = () => verdict("");
    await longshore.ok(["volume", "ls"]);
  });

  it("the engine does not start without a plugin that it should ask", async () => {
    await longshore.engine.stop();
    writeFileSync(at("daemon.json"), JSON.stringify({ "authorization-plugins": ["no-such-plugin"] }));
    await assert.rejects(
      longshore.engine.start(),
      /failed to validate authorization plugin: plugin .*no-such-plugin.* not found/,
    );
    configure();
    await longshore.engine.start();
  });
});
