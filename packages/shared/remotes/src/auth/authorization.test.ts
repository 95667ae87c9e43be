import assert from "node:assert/strict";
import { mediaTypes } from "@longshore/oci";
import { RegistryRig } from "../testing/registry-rig.ts";

describe("authorization", () => {
  let rig: RegistryRig;
  beforeEach(async () => (rig = await RegistryRig.open()));
  afterEach(() => rig.close());

  /** Asks for a bearer token, which its own /token hands out. */
  function bearer(
    token: (request: { headers: Record<string, unknown>; url: string; method: string }) => string | undefined,
  ): void {
    rig.server.faults.push((request, response) => {
      if (request.url?.startsWith("/token") === true) {
        const value = token({ headers: request.headers, url: request.url, method: request.method ?? "" });
        if (value === undefined)
          return rig.server.fail(response, 401, "UNAUTHORIZED", "incorrect username or password");
        response.writeHead(200).end(JSON.stringify({ token: value, expires_in: 300 }));
        return true;
      }
      if (request.headers.authorization === "Bearer good") return false;
      response.setHeader(
        "www-authenticate",
        `Bearer realm="http://${rig.server.host}/token",service="reg",scope="repository:x:pull"`,
      );
      return rig.server.fail(response, 401, "UNAUTHORIZED", "authentication required");
    });
  }

  it("gets an anonymous token, once for many requests", async () => {
    const manifest = rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    bearer(() => "good");
    assert.deepEqual(await rig.registry.resolve(rig.named("x:1")), manifest);
    await rig.registry.resolve(rig.named("x:1"));
    const tokens = rig.server.log.filter((line) => line.includes("/token"));
    assert.equal(tokens.length, 1);
    assert.match(tokens[0] ?? "", /scope=repository%3Ax%3Apull/);
    assert.match(tokens[0] ?? "", /service=reg/);
  });

  it("shows the password to the token service alone", async () => {
    rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    const seen: unknown[] = [];
    bearer(({ headers }) => {
      seen.push(headers["authorization"]);
      return "good";
    });
    const registry = rig.client(async () => ({ kind: "basic", username: "u", password: "p" }));
    await registry.resolve(rig.named("x:1"));
    assert.deepEqual(seen, [`Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  it("trades an identity token by POST", async () => {
    rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    bearer(({ method }) => (method === "POST" ? "good" : "bad"));
    const registry = rig.client(async () => ({ kind: "identityToken", token: "refresh" }));
    await registry.resolve(rig.named("x:1"));
  });

  it("gets a new token when the old one has run out", async () => {
    rig.server.addManifest("x", "1", mediaTypes.ociManifest, { schemaVersion: 2 });
    let count = 0;
    bearer(() => (++count === 1 ? "expired" : "good"));
    await rig.registry.resolve(rig.named("x:1"));
    assert.equal(count, 2);
  });

  it("tells wrong credentials and missing rights apart from what is not there", async () => {
    bearer(() => undefined);
    const registry = rig.client(async () => ({ kind: "basic", username: "u", password: "wrong" }));
    await assert.rejects(registry.resolve(rig.named("x:1")), {
      name: "Unauthenticated",
      message:
        "pull access denied, repository does not exist or may require authorization: server message: unauthorized: incorrect username or password",
    });
    rig.server.faults.length = 0;
    rig.server.faults.push((_, response) =>
      rig.server.fail(response, 403, "DENIED", "requested access to the resource is denied"),
    );
    await assert.rejects(registry.resolve(rig.named("x:1")), {
      name: "PermissionDenied",
      message:
        "pull access denied, repository does not exist or may require authorization: server message: denied: requested access to the resource is denied",
    });
  });

  it("says that a password is wanted where there is none", async () => {
    rig.server.faults.push((_, response) =>
      Boolean(response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end()),
    );
    await assert.rejects(rig.registry.resolve(rig.named("x:1")), {
      name: "Unauthenticated",
      message: `Head "http://${rig.server.host}/v2/x/manifests/1": no basic auth credentials`,
    });
  });

  it("asks nobody by file for a token", async () => {
    rig.server.faults.push((_, response) =>
      Boolean(response.writeHead(401, { "www-authenticate": 'Bearer realm="file:///etc/passwd"' }).end()),
    );
    await assert.rejects(rig.registry.resolve(rig.named("x:1")), /unsupported scheme in realm/);
  });
});
