import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";

describe("links", () => {
  const [db, web, network] = ["e2e-link-db", "e2e-link-web", "e2e-link-net"];
  const remove = (...names: string[]): Promise<unknown> => shared.docker(["rm", "-f", ...names]);
  const address = (name: string): Promise<string> =>
    shared.ok(["inspect", "-f", "{{.NetworkSettings.IPAddress}}", name]);
  const hosts = (name: string): Promise<string> => shared.ok(["exec", name, "cat", "/etc/hosts"]);
  const links = (name: string): Promise<string> => shared.ok(["inspect", "-f", "{{json .HostConfig.Links}}", name]);

  before(() =>
    shared.ok([
      "run",
      "-d",
      "--name",
      db,
      "--hostname",
      "box",
      "--expose",
      "80-81",
      "--expose",
      "53/udp",
      "-e",
      "A=x y",
      "busybox",
      "sleep",
      "300",
    ]),
  );
  after(async () => {
    await remove(db, web);
    await shared.docker(["network", "rm", network]);
  });
  afterEach(() => remove(web));

  it("give names and variables to the one that links", async () => {
    const { stdout } = await shared.docker([
      "run",
      "--rm",
      "--name",
      web,
      "--link",
      `${db}:my-db`,
      "busybox",
      "sh",
      "-c",
      "grep my-db /etc/hosts; env | grep ^MY_DB | sort",
    ]);
    const ip = await address(db);
    assert.deepEqual(stdout.trim().split("\n"), [
      `${ip}\tmy-db box ${db}`,
      "MY_DB_ENV_A=x y",
      `MY_DB_NAME=/${web}/my-db`,
      `MY_DB_PORT=udp://${ip}:53`,
      `MY_DB_PORT_53_UDP=udp://${ip}:53`,
      `MY_DB_PORT_53_UDP_ADDR=${ip}`,
      "MY_DB_PORT_53_UDP_PORT=53",
      "MY_DB_PORT_53_UDP_PROTO=udp",
      `MY_DB_PORT_80_TCP=tcp://${ip}:80`,
      `MY_DB_PORT_80_TCP_ADDR=${ip}`,
      `MY_DB_PORT_80_TCP_END=tcp://${ip}:81`,
      "MY_DB_PORT_80_TCP_PORT=80",
      "MY_DB_PORT_80_TCP_PORT_END=81",
      "MY_DB_PORT_80_TCP_PORT_START=80",
      "MY_DB_PORT_80_TCP_PROTO=tcp",
      `MY_DB_PORT_80_TCP_START=tcp://${ip}:80`,
      `MY_DB_PORT_81_TCP=tcp://${ip}:81`,
      `MY_DB_PORT_81_TCP_ADDR=${ip}`,
      "MY_DB_PORT_81_TCP_PORT=81",
      "MY_DB_PORT_81_TCP_PROTO=tcp",
    ]);
  });

  it("follow renames, restarts and new addresses; are names; can be removed", async () => {
    await shared.ok(["run", "-d", "--name", web, "--link", `${db}:data`, "--link", db, "busybox", "sleep", "300"]);
    assert.equal(await links(web), `["/${db}:/${web}/data","/${db}:/${web}/${db}"]`);
    assert.equal(
      await shared.ok(["ps", "--no-trunc", "--filter", `name=^${db}$`, "--format", "{{.Names}}"]),
      `${db},${web}/data,${web}/${db}`,
    );
    assert.equal(await shared.ok(["exec", `${web}/data`, "echo", "reached"]), "reached");
    await shared.ok(["rename", db, "e2e-link-renamed"]);
    assert.equal(await links(web), `["/e2e-link-renamed:/${web}/data","/e2e-link-renamed:/${web}/${db}"]`);
    await shared.ok(["rename", "e2e-link-renamed", db]);
    // The address that it had goes to another one meanwhile.
    await shared.ok(["stop", "-t", "0", db]);
    await shared.ok(["run", "-d", "--name", "e2e-link-squatter", "busybox", "sleep", "300"]);
    await shared.ok(["start", db]);
    assert.match(await hosts(web), new RegExp(`^${(await address(db)).replaceAll(".", "\\.")}\\tdata box ${db}$`, "m"));
    await remove("e2e-link-squatter");
    await shared.ok(["rm", "--link", `${web}/data`]);
    assert.equal(await links(web), `["/${db}:/${web}/${db}"]`);
    assert.match(
      (await shared.docker(["rm", "--link", db])).stderr,
      /Conflict, cannot remove the default link name of the container/,
    );
    assert.match(
      (await shared.docker(["rm", "--link", `${web}/nope`])).stderr,
      new RegExp(`No such container: ${web}/nope`),
    );
  });

  it("are refused where they cannot work, in Docker's words", async () => {
    const run = async (...options: string[]): Promise<string> =>
      (await shared.docker(["run", "--rm", "--name", web, ...options, "busybox", "true"])).stderr;
    assert.match(await run("--link", "nope:x"), /could not get container for nope: No such container: nope/);
    assert.match(
      await run("--net", "host", "--link", `${db}:x`),
      /conflicting options: host type networking can't be used with links/,
    );
    await shared.ok(["create", "--name", "e2e-link-idle", "busybox", "true"]);
    assert.match(
      await run("--link", "e2e-link-idle:x"),
      new RegExp(`Cannot link to a non running container: /e2e-link-idle AS /${web}/x`),
    );
    await remove("e2e-link-idle");
  });

  it("are names of the one that links in a user-defined network", async () => {
    await shared.ok(["network", "create", network]);
    await shared.ok(["network", "connect", network, db]);
    const ip = await shared.ok(["inspect", "-f", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, db]);
    assert.match(
      await shared.ok(["run", "--rm", "--net", network, "--link", `${db}:late`, "busybox", "nslookup", "late"]),
      new RegExp(`Name:\\s+late\\s+Address: ${ip}`),
    );
    assert.equal((await shared.docker(["run", "--rm", "--net", network, "busybox", "nslookup", "late"])).code, 1);
    await shared.ok(["network", "disconnect", network, db]);
  });
});
