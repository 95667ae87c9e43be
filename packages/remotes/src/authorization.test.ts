import assert from "node:assert/strict";
import { mediaTypes } from "@longshore/oci";
import { parseNormalized } from "@longshore/reference";
import { FaultRegistry } from "./fault-registry.ts";
import { Connections, type CredentialsCallback, Registry, fixedSchemeHosts } from "./index.ts";

const retry = { attempts: 4, firstDelayMs: 1, maxDelayMs: 5 };

describe("authorization", () => {
  let server: FaultRegistry;
  let connections: Connections;
  let registry: Registry;
  beforeEach(async () => {
    server = await new FaultRegistry().listen();
    connections = new Connections();
    registry = client();
  });
  afterEach(async () => {
    await connections.close();
    await server[Symbol.asyncDispose]();
  });
  const client = (credentials?: CredentialsCallback): Registry =>
    new Registry({ hosts: fixedSchemeHosts("http"), connections, retry, ...(credentials === undefined ? {} : { credentials }) });
  const named = (name: string) => parseNormalized(`${server.host}/${name}`);

  /** Asks for a bearer token, which its own /token hands out. */
  function bearer(token: (request: { headers: Record<string, unknown>; url: string; method: string }) => string | undefined): void {
    server.faults.push((request, response) => {
      if (request.url?.startsWith("/token") === true) {
        const value = token({ headers: request.headers, url: request.url, method: request.method ?? "" });
        if (value === undefined) return server.fail(response, 401, "UNAUTHORIZED", "incorrect username or password");
        response.writeHead(200).end(JSON.stringify({ token: value, expires_in: 300 }));
        return true;
      }
      if (request.headers.authorization === "Bearer good") return false;
      response.setHeader("www-authenticate", `Bearer realm="http://${server.host}/token",service="reg",scope="repository:x:pull"`);
      return server.fail(response, 401, "UNAUTHORIZED", "authentication required");
    });
  }

  it("gets an anonymous token, once for many requests", async () => {
    const manifest = server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    bearer(() => "good");
    assert.deepEqual(await registry.resolve(named("x:1")), manifest);
    await registry.resolve(named("x:1"));
    const tokens = server.log.filter((line) => line.includes("/token"));
    assert.equal(tokens.length, 1);
    assert.match(tokens[0] ?? "", /scope=repository%3Ax%3Apull/);
    assert.match(tokens[0] ?? "", /service=reg/);
  });

  it("shows the password to the token service alone", async () => {
    server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    const seen: unknown[] = [];
    bearer(({ headers }) => {
      seen.push(headers["authorization"]);
      return "good";
    });
    registry = client(async () => ({ kind: "basic", username: "u", password: "p" }));
    await registry.resolve(named("x:1"));
    assert.deepEqual(seen, [`Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  it("trades an identity token by POST", async () => {
    server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    bearer(({ method }) => (method === "POST" ? "good" : "bad"));
    registry = client(async () => ({ kind: "identityToken", token: "refresh" }));
    await registry.resolve(named("x:1"));
  });

  it("gets a new token when the old one has run out", async () => {
    server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    let count = 0;
    bearer(() => (++count === 1 ? "expired" : "good"));
    await registry.resolve(named("x:1"));
    assert.equal(count, 2);
  });

  it("tells wrong credentials and missing rights apart from what is not there", async () => {
    bearer(() => undefined);
    registry = client(async () => ({ kind: "basic", username: "u", password: "wrong" }));
    await assert.rejects(registry.resolve(named("x:1")), {
      name: "Unauthenticated",
      message: "pull access denied, repository does not exist or may require authorization: server message: unauthorized: incorrect username or password",
    });
    server.faults.length = 0;
    server.faults.push((_, response) => server.fail(response, 403, "DENIED", "requested access to the resource is denied"));
    await assert.rejects(registry.resolve(named("x:1")), {
      name: "PermissionDenied",
      message: "pull access denied, repository does not exist or may require authorization: server message: denied: requested access to the resource is denied",
    });
  });

  it("says that a password is wanted where there is none", async () => {
    server.faults.push((_, response) => Boolean(response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end()));
    await assert.rejects(registry.resolve(named("x:1")), { name: "Unauthenticated", message: `Head "http://${server.host}/v2/x/manifests/1": no basic auth credentials` });
  });

  it("asks nobody by file for a token", async () => {
    server.faults.push((_, response) => Boolean(response.writeHead(401, { "www-authenticate": 'Bearer realm="file:///etc/passwd"' }).end()));
    await assert.rejects(registry.resolve(named("x:1")), /unsupported scheme in realm/);
  });
});
