import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { addresses, askUdp } from "./client.ts";

/** What else the host's file says is a case of the unit tests; here it is as it is. */
describe("resolv.conf in containers", () => {
  const [a, b, name] = ["e2e-resolv-a", "e2e-resolv-b", "e2e-resolv"];
  const run = (...options: string[]) =>
    shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "--dns",
      "192.0.2.53",
      "--dns-search",
      "s.x",
      ...options,
      "busybox",
      "sleep",
      "1000",
    ]);
  const read = async () =>
    (await shared.ok(["exec", name, "cat", "/etc/resolv.conf"]))
      .split("\n")
      .slice(3)
      .filter((line) => line !== "" && !line.startsWith("# Based on"));
  const pid = async (container = name) => Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", container]));
  const legacy = ["nameserver 192.0.2.53", "search s.x", "# Overrides: [nameservers search]"];
  const embedded = [
    "nameserver 127.0.0.11",
    "search s.x",
    "options ndots:0",
    "# ExtServers: [192.0.2.53]",
    "# Overrides: [nameservers search]",
    "# Option ndots from: internal",
  ];

  before(async () => {
    for (const network of [a, b]) await shared.ok(["network", "create", network]);
  });
  afterEach(() => shared.docker(["rm", "-f", name, `${name}-2`]));
  after(() => shared.docker(["network", "rm", a, b]));

  it("leads to the embedded DNS with the first user-defined network, and stays so", async () => {
    await run();
    assert.deepEqual(await read(), legacy);
    await shared.ok(["run", "-d", "--name", `${name}-2`, "--network", a, "busybox", "sleep", "1000"]);
    await shared.ok(["network", "connect", "--alias", "zed", a, name]);
    assert.deepEqual(await read(), embedded);
    assert.equal(addresses(await askUdp(await pid(), `${name}-2`)).length, 1);
    assert.equal(addresses(await askUdp(await pid(`${name}-2`), "zed")).length, 1);
    await shared.ok(["network", "disconnect", a, name]);
    assert.deepEqual(await read(), embedded);
    assert.deepEqual(
      addresses(await askUdp(await pid(`${name}-2`), "zed", "A").catch(() => ({ answers: [] }) as never)),
      [],
    );
    await shared.ok(["network", "connect", b, name]);
    assert.equal(addresses(await askUdp(await pid(), name)).length, 1);
    await shared.ok(["restart", "-t", "0", name]);
    assert.deepEqual(await read(), embedded);
  });

  it("does the same for a container without a network", async () => {
    await run("--network", "none");
    assert.deepEqual(await read(), legacy);
    await shared.ok(["network", "disconnect", "none", name]);
    await shared.ok(["network", "connect", a, name]);
    assert.deepEqual(await read(), embedded);
  });

  it("stays as it was edited until the container starts again", async () => {
    await run();
    await shared.ok(["exec", name, "sh", "-c", "echo '# mine' >> /etc/resolv.conf"]);
    await shared.ok(["network", "connect", a, name]);
    assert.deepEqual(await read(), [...legacy, "# mine"]);
    assert.equal(addresses(await askUdp(await pid(), name)).length, 1);
    await shared.ok(["restart", "-t", "0", name]);
    assert.deepEqual(await read(), embedded);
  });

  it("takes options and search domains, and leaves out an ndots that is no number", async () => {
    await run("--network", a, "--dns-search", ".", "--dns-opt", "ndots:x", "--dns-opt", "timeout:3");
    assert.deepEqual(await read(), [
      ...["nameserver 127.0.0.11", "search s.x", "options timeout:3 ndots:0"],
      ...["# ExtServers: [192.0.2.53]", "# Overrides: [nameservers search options]", "# Option ndots from: internal"],
    ]);
  });
});
