import assert from "node:assert/strict";
import { once } from "node:events";
import { globSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GenericContainer, Network, Wait } from "testcontainers";
import { shared } from "../engine/shared.ts";

describe("testcontainers", () => {
  // The library looks for the engine in the environment; its reaper is an image of its own, which no registry here has.
  const settings = {
    DOCKER_HOST: shared.host,
    TESTCONTAINERS_RYUK_DISABLED: "true",
    TESTCONTAINERS_HOST_OVERRIDE: "127.0.0.1",
  };
  const saved = Object.fromEntries(Object.keys(settings).map((key) => [key, process.env[key]]));
  before(() => Object.assign(process.env, settings));
  after(() => {
    for (const [key, value] of Object.entries(saved))
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    // The library leaves the files there that it locks.
    for (const file of globSync(join(tmpdir(), "testcontainers-node-*.lock"))) rmSync(file);
  });

  it("starts what it waits for, serves through mapped ports, executes, copies and streams logs", async () => {
    await using container = await new GenericContainer("busybox")
      .withCommand(["sh", "-c", "echo preparing; httpd -p 80 -h /www; echo ready; exec tail -f /dev/null"])
      .withCopyContentToContainer([{ content: "copied in\n", target: "/www/index.html" }])
      .withExposedPorts(80)
      .withEnvironment({ A: "b" })
      .withTmpFs({ "/scratch": "size=1m" })
      .withHealthCheck({
        test: ["CMD", "wget", "-qO", "-", "http://localhost/"],
        interval: 200,
        timeout: 2000,
        retries: 50,
        startPeriod: 1000,
      })
      .withWaitStrategy(Wait.forAll([Wait.forLogMessage(/ready/), Wait.forListeningPorts(), Wait.forHealthCheck()]))
      .start();
    const page = await fetch(`http://${container.getHost()}:${container.getMappedPort(80)}/`);
    assert.equal(await page.text(), "copied in\n");
    const { exitCode, output } = await container.exec(["sh", "-c", "echo $A; exit 6"]);
    assert.deepEqual([exitCode, output], [6, "b\n"]);
    await container.copyContentToContainer([{ content: "later\n", target: "/tmp/later" }]);
    assert.equal((await container.exec(["cat", "/tmp/later"])).output, "later\n");
    const logs = await container.logs();
    const [line] = (await once(logs, "data")) as [Buffer | string];
    assert.match(String(line), /preparing/);
    logs.destroy();
    await container.restart({ timeout: 0 });
    assert.equal((await container.exec(["echo", "again"])).output, "again\n");
  });

  it("containers find each other by alias in a network of its own", async () => {
    await using network = await new Network().start();
    await using server = await new GenericContainer("busybox")
      .withNetwork(network)
      .withNetworkAliases("server")
      .withCommand(["sleep", "300"])
      .start();
    await using client = await new GenericContainer("busybox")
      .withNetwork(network)
      .withCommand(["sleep", "300"])
      .start();
    assert.match(
      (await client.exec(["nslookup", "server"])).output,
      new RegExp(server.getIpAddress(network.getName()).replaceAll(".", "\\.")),
    );
  });
});
