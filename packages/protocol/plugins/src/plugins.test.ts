import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { silent } from "@longshore/logger";
import { backoffMs } from "./retry.ts";
import { Plugin, Plugins } from "./index.ts";

describe("plugins", () => {
  let dir = "";
  let plugins: Plugins;
  const servers: Server[] = [];
  const asked: { path: string; headers: Record<string, unknown>; body: string }[] = [];

  /** A plugin at a path or, with 0, at a port of loopback. */
  async function serve(at: string | number, answer: (path: string) => [status: number, body: string]): Promise<Server> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.once("end", () => {
        asked.push({ path: request.url ?? "", headers: request.headers, body });
        const [status, text] =
          request.url === "/Plugin.Activate" ? [200, '{"Implements":["VolumeDriver"]}'] : answer(request.url ?? "");
        response.writeHead(status).end(text);
      });
    });
    servers.push(server);
    if (typeof at === "string") server.listen(at);
    else server.listen(at, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lsplug-"));
    for (const name of ["run", "etc", "lib"]) mkdirSync(join(dir, name));
    plugins = new Plugins({
      log: silent,
      dirs: { sockets: [join(dir, "run")], specs: [join(dir, "etc"), join(dir, "lib")] },
    });
    asked.length = 0;
  });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
  });

  it("activates a plugin when it is first needed, and once", async () => {
    await serve(join(dir, "run/vol.sock"), () => [200, '{"Err":""}']);
    const [plugin] = await Promise.all([plugins.get("vol", "VolumeDriver"), plugins.get("vol", "VolumeDriver")]);
    await plugin.call("VolumeDriver.Create", { Name: "a" });
    assert.deepEqual(
      asked.map(({ path, body }) => [path, body]),
      [
        ["/Plugin.Activate", ""],
        ["/VolumeDriver.Create", '{"Name":"a"}\n'],
      ],
    );
    assert.equal(asked[0]?.headers["host"], "plugin.moby.localhost");
    assert.equal(asked[0]?.headers["accept"], "application/vnd.docker.plugins.v1.2+json");
    assert.deepEqual(plugins.active("VolumeDriver"), ["vol"]);
    await assert.rejects(
      plugins.get("vol", "LogDriver"),
      /^Unknown: legacy plugin: Plugin does not implement the requested driver: plugin="vol", requested implementation="LogDriver"$/,
    );
  });

  it("finds sockets in folders, .spec and .json files; no name leads out", async () => {
    mkdirSync(join(dir, "run/inner"));
    await serve(join(dir, "run/inner/inner.sock"), () => [200, "{}"]);
    const port = ((await serve(0, () => [200, "{}"])).address() as AddressInfo).port;
    writeFileSync(join(dir, "etc/spec.spec"), `tcp://127.0.0.1:${port}\n`);
    writeFileSync(join(dir, "lib/json.json"), JSON.stringify({ Name: "json", Addr: `http://127.0.0.1:${port}` }));
    writeFileSync(join(dir, "lib/broken.json"), "{");
    for (const name of ["inner", "spec", "json"])
      await (await plugins.get(name, "VolumeDriver")).call("VolumeDriver.List", {});
    assert.deepEqual((await plugins.all("VolumeDriver")).map(({ name }) => name).sort(), ["inner", "json", "spec"]);
    for (const name of ["none", "../run/inner", "inner/inner", ""])
      await assert.rejects(plugins.get(name, "VolumeDriver"), /^NotFound: plugin ".*" not found$/);
  });

  it("gives a plugin's own words, and Go's for one that is away", async () => {
    const server = await serve(join(dir, "run/vol.sock"), (path) =>
      path.endsWith("Get") ? [500, '{"Err":"boom"}'] : [404, "no such method"],
    );
    const plugin = await plugins.get("vol", "VolumeDriver");
    await assert.rejects(plugin.call("VolumeDriver.Get", {}), /^PluginRefused: VolumeDriver\.Get: boom$/);
    await assert.rejects(plugin.call("VolumeDriver.List", {}), /^PluginRefused: VolumeDriver\.List: no such method$/);
    server.close().closeAllConnections();
    await once(server, "close");
    await assert.rejects(
      plugin.call("VolumeDriver.List", {}, { retry: false }),
      /vol\.sock: connect: no such file or directory$/,
    );
  });

  it("waits for one that has been there before, if it is asked to", async () => {
    await assert.rejects(plugins.get("vol", "VolumeDriver"), /plugin "vol" not found/);
    const found = plugins.get("vol", "VolumeDriver", { wait: true });
    await serve(join(dir, "run/vol.sock"), () => [200, "{}"]);
    assert.equal((await found).name, "vol");
  });

  it("finds a plugin again that was restarted elsewhere", async () => {
    const portOf = (server: Server): number => (server.address() as AddressInfo).port;
    const before = await serve(0, () => [200, "{}"]);
    writeFileSync(join(dir, "etc/vol.spec"), `tcp://127.0.0.1:${portOf(before)}`);
    const plugin = await plugins.get("vol", "VolumeDriver");
    before.close().closeAllConnections();
    await once(before, "close");
    writeFileSync(join(dir, "etc/vol.spec"), `tcp://127.0.0.1:${portOf(await serve(0, () => [200, '{"Err":"new"}']))}`);
    assert.deepEqual(await plugin.call("VolumeDriver.List", {}), { Err: "new" });
    assert.deepEqual([0, 1, 2, 3, 9].map(backoffMs), [1000, 2000, 4000, 8000, 30_000]);
  });

  it("speaks TLS with the files that a .json file names, and trusts nobody else", async () => {
    const at = (name: string): string => join(dir, name);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    for (const name of ["server", "client", "stranger"]) {
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          ...key,
          "-subj",
          `/CN=${name}`,
          "-addext",
          "subjectAltName=IP:127.0.0.1",
          "-keyout",
          at(`${name}.key`),
          "-out",
          at(`${name}.pem`),
        ],
        { stdio: "ignore" },
      );
    }
    const read = (name: string): string => readFileSync(at(name), "utf8");
    const server = createTlsServer(
      {
        key: read("server.key"),
        cert: read("server.pem"),
        ca: read("client.pem"),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_request, response) => response.end('{"Implements":["VolumeDriver"]}'),
    );
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const announce = (name: string, ca: string, own: string): void =>
      writeFileSync(
        at(`etc/${name}.json`),
        JSON.stringify({
          Addr: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
          TLSConfig: { CAFile: at(`${ca}.pem`), CertFile: at(`${own}.pem`), KeyFile: at(`${own}.key`) },
        }),
      );
    announce("good", "server", "client");
    announce("wrong-ca", "stranger", "client");
    announce("wrong-cert", "server", "stranger");
    assert.deepEqual(
      (await plugins.all("VolumeDriver")).map(({ name }) => name),
      ["good"],
    );
  });

  it("words a refused connection as Go does, and bounds a silent plugin", async () => {
    writeFileSync(join(dir, "etc/gone.spec"), "unix:///no/such/socket");
    const away = { timeoutMs: 50, retry: false };
    const find = async () => ({ socketPath: "/no/such/socket" });
    await assert.rejects(
      Plugin.activate("gone", find, away),
      /^Unavailable: Post "http:\/\/plugin\.moby\.localhost\/Plugin\.Activate": dial unix \/no\/such\/socket: connect: no such file or directory$/,
    );
    const socketPath = join(dir, "run/mute.sock");
    const server = createServer(() => undefined).listen(socketPath);
    servers.push(server);
    await once(server, "listening");
    await assert.rejects(
      Plugin.activate("mute", async () => ({ socketPath }), away),
      /^DeadlineExceeded: .*context deadline exceeded$/,
    );
    assert.deepEqual(await plugins.all("VolumeDriver"), []);
  });
});
