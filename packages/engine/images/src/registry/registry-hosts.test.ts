import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@longshore/logger";
import { Connections } from "@longshore/remotes";
import type { ImagesContext } from "../model/context.ts";
import { publishHosts } from "./registry-hosts.ts";

describe("where registries are", () => {
  let hostsDir = "";
  let server: Server;
  let looks = 0;
  const connections = new Connections();

  beforeEach(async () => {
    hostsDir = await mkdtemp(join(tmpdir(), "hosts-"));
    looks = 0;
    server = createServer((_request, response) => (looks++, response.end("{}")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    await connections.close();
    server.closeAllConnections();
    server.close();
    await rm(hostsDir, { recursive: true });
  });

  it("are looked at once for the scheme that they speak, and again after a while", async () => {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const registryHosts: ImagesContext["registryHosts"] = async () => [
      { scheme: "https", host, path: "/v2", capabilities: ["push", "pull", "resolve"], plainFallback: true },
    ];
    const context = { connections, hostsDir, registryHosts, log: silent } as unknown as ImagesContext;
    for (let i = 0; i < 3; i++) {
      await publishHosts(context, host);
      assert.equal(looks, 1);
      assert.match(await readFile(join(hostsDir, host, "hosts.toml"), "utf8"), new RegExp(`http://${host}`));
    }
    const { now } = performance;
    performance.now = () => now.call(performance) + 60_000;
    try {
      await publishHosts(context, host);
    } finally {
      performance.now = now;
    }
    assert.equal(looks, 2);
  });
});
