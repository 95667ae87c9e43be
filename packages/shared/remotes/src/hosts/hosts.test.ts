import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseChallenges } from "../auth/challenge.ts";
import { dockerHosts, fixedSchemeHosts, hostsDirHosts, parseMirror, writeHostsDir } from "../index.ts";
import { retryAfterMs } from "../http/backoff.ts";

describe("registry hosts", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "hosts-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("asks mirrors before Docker Hub, and only before it", async () => {
    const hosts = dockerHosts({ mirrors: ["https://mirror.example/prefix/"], certsDirs: [dir] });
    assert.deepEqual(
      (await hosts("docker.io")).map(({ scheme, host, path }) => `${scheme}://${host}${path}`),
      ["https://mirror.example/prefix/v2", "https://registry-1.docker.io/v2"],
    );
    assert.deepEqual(
      (await hosts("quay.example")).map(({ host }) => host),
      ["quay.example"],
    );
  });

  it("lets plain HTTP stand in on this machine and for insecure registries alone", async () => {
    const hosts = dockerHosts({ insecureRegistries: ["reg.example:5000", "10.1.0.0/16"], certsDirs: [dir] });
    for (const [domain, insecure] of [
      ["localhost:5000", true],
      ["127.8.9.1:5000", true],
      ["[::1]:5000", true],
      ["reg.example:5000", true],
      ["10.1.2.3", true],
      ["10.2.2.3", false],
      ["reg.example", false],
      ["docker.io", false],
    ] as const) {
      const [host] = await hosts(domain);
      assert.equal(host?.plainFallback === true, insecure, domain);
      assert.equal(host?.tls?.skipVerify === true, insecure, domain);
    }
  });

  it("reads Docker's certificate folders", async () => {
    await mkdir(join(dir, "reg.example:5000"));
    const file = (name: string, text: string): Promise<void> => writeFile(join(dir, "reg.example:5000", name), text);
    await file("ca.crt", "CA");
    await file("client.cert", "CERT");
    await assert.rejects(
      dockerHosts({ certsDirs: [dir] })("reg.example:5000"),
      /missing key client.key for client certificate client.cert/,
    );
    await file("client.key", "KEY");
    const [host] = await dockerHosts({ certsDirs: [dir] })("reg.example:5000");
    assert.deepEqual(host?.tls, { ca: ["CA"], certificates: [{ cert: "CERT", key: "KEY" }] });
  });

  it("reads containerd's hosts.toml", async () => {
    await mkdir(join(dir, "docker.io"));
    await writeFile(join(dir, "docker.io", "ca.pem"), "CA");
    await writeFile(
      join(dir, "docker.io", "hosts.toml"),
      `server = "https://registry-1.docker.io"
[host."http://127.0.0.1:5000"]
  capabilities = ["pull", "resolve"]
  skip_verify = true
[host."https://mirror.example/custom"]
  override_path = true
  ca = "ca.pem"
  [host."https://mirror.example/custom".header]
    x-one = "1"
`,
    );
    assert.deepEqual(await hostsDirHosts([dir], fixedSchemeHosts("https"))("docker.io"), [
      {
        scheme: "http",
        host: "127.0.0.1:5000",
        path: "/v2",
        capabilities: ["pull", "resolve"],
        tls: { skipVerify: true },
        headers: {},
        namespace: "docker.io",
      },
      {
        scheme: "https",
        host: "mirror.example",
        path: "/custom",
        capabilities: ["pull", "resolve", "push"],
        tls: { ca: ["CA"] },
        headers: { "x-one": ["1"] },
        namespace: "docker.io",
      },
      {
        scheme: "https",
        host: "registry-1.docker.io",
        path: "/v2",
        capabilities: ["pull", "resolve", "push"],
        tls: {},
        headers: {},
      },
    ]);
    assert.deepEqual(
      (await hostsDirHosts([dir], fixedSchemeHosts("http"))("other.example")).map(({ scheme }) => scheme),
      ["http"],
    );
  });

  it("finds a registry's folder by host, port form and default", async () => {
    await mkdir(join(dir, "reg.example_5000_"));
    await writeFile(join(dir, "reg.example_5000_", "hosts.toml"), 'server = "http://a.example"');
    await mkdir(join(dir, "_default"));
    await writeFile(join(dir, "_default", "hosts.toml"), 'server = "http://b.example"');
    const hosts = hostsDirHosts([dir], fixedSchemeHosts("https"));
    assert.equal((await hosts("reg.example:5000"))[0]?.host, "a.example");
    assert.equal((await hosts("else.example"))[0]?.host, "b.example");
    await writeFile(join(dir, "_default", "hosts.toml"), "server = ");
    await assert.rejects(hosts("else.example"), { name: "InvalidArgument" });
    await writeFile(join(dir, "_default", "hosts.toml"), 'server = "file:///etc"');
    await assert.rejects(hosts("else.example"), /unsupported scheme/);
  });

  it("writes hosts.toml so that it reads the same", async () => {
    await mkdir(join(dir, "certs", "registry.example"), { recursive: true });
    for (const [file, text] of [
      ["ca.crt", "CA"],
      ["c.cert", "CERT"],
      ["c.key", "KEY"],
    ] as const)
      await writeFile(join(dir, "certs", "registry.example", file), text);
    const docker = dockerHosts({
      mirrors: ["http://mirror.example/p"],
      insecureRegistries: ["insecure.example"],
      certsDirs: [join(dir, "certs")],
    });
    for (const domain of ["docker.io", "insecure.example", "registry.example", "localhost:5000"])
      await writeHostsDir(join(dir, "out"), domain, await docker(domain));
    const read = hostsDirHosts([join(dir, "out")], fixedSchemeHosts("https"));
    const brief = async (domain: string): Promise<unknown[]> =>
      (await read(domain)).map(({ scheme, host, path, tls }) => [`${scheme}://${host}${path}`, tls]);
    assert.deepEqual(await brief("docker.io"), [
      ["http://mirror.example/p/v2", {}],
      ["https://registry-1.docker.io/v2", {}],
    ]);
    assert.deepEqual(await brief("insecure.example"), [
      ["https://insecure.example/v2", { skipVerify: true }],
      ["http://insecure.example/v2", {}],
    ]);
    assert.deepEqual(await brief("localhost:5000"), [
      ["https://localhost:5000/v2", { skipVerify: true }],
      ["http://localhost:5000/v2", {}],
    ]);
    assert.deepEqual(await brief("registry.example"), [
      ["https://registry.example/v2", { ca: ["CA"], certificates: [{ cert: "CERT", key: "KEY" }] }],
    ]);
    assert.deepEqual((await read("docker.io"))[0]?.capabilities, ["pull", "resolve"]);
  });

  it("refuses mirrors that cannot be meant", () => {
    assert.throws(() => parseMirror("mirror.example"), { name: "InvalidArgument" });
    assert.throws(
      () => parseMirror("ftp://mirror.example"),
      /invalid mirror: unsupported scheme "ftp" in "ftp:\/\/mirror.example"/,
    );
    assert.throws(() => parseMirror("https://u:p@mirror.example"), /username\/password not allowed/);
    assert.throws(() => parseMirror("https://mirror.example/?q"), /query or fragment/);
  });

  it("reads challenges", () => {
    assert.deepEqual(
      parseChallenges(['Bearer realm="https://a/t",service="s \\"q\\"",scope="repository:x:pull,push", Basic realm=x']),
      [
        { scheme: "bearer", parameters: { realm: "https://a/t", service: 's "q"', scope: "repository:x:pull,push" } },
        { scheme: "basic", parameters: { realm: "x" } },
      ],
    );
    assert.deepEqual(parseChallenges(["", "=", "Negotiate"]), [{ scheme: "negotiate", parameters: {} }]);
  });

  it("reads Retry-After in both forms", () => {
    assert.equal(retryAfterMs("3"), 3000);
    assert.equal(retryAfterMs("Thu, 01 Jan 1970 00:00:05 GMT", 1000), 4000);
    assert.equal(retryAfterMs("soon"), undefined);
  });
});
