import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { importSoftware, softwareImage as image } from "../stock/software.ts";
import { until } from "../host/until.ts";

describe("real software", function () {
  this.timeout(600_000);
  const names = ["e2e-nginx", "e2e-postgres", "e2e-redis"];
  const volume = "e2e-pgdata";

  before(() => importSoftware(shared));

  after(async () => {
    await shared.docker(["rm", "-f", "-v", ...names]);
    await shared.docker(["volume", "rm", "-f", volume]);
  });

  it("nginx serves through a published port, logs, reloads and stops gracefully", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      "e2e-nginx",
      "-p",
      "127.0.0.1::80",
      "--stop-signal",
      "QUIT",
      image,
      "nginx",
      "-g",
      "daemon off; error_log stderr notice;",
    ]);
    const address = await shared.ok(["port", "e2e-nginx", "80/tcp"]);
    await until("nginx answers", async () =>
      (await (await fetch(`http://${address}/`)).text()).includes("Welcome to nginx"),
    );
    await shared.ok(["exec", "e2e-nginx", "sh", "-c", "echo changed > /var/www/html/index.html; nginx -s reload"]);
    await until(
      "the new page is served",
      async () => (await (await fetch(`http://${address}/index.html`)).text()) === "changed\n",
    );
    assert.match((await shared.docker(["logs", "e2e-nginx"])).stderr, /signal .* reconfiguring/);
    await shared.ok(["stop", "e2e-nginx"]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", "e2e-nginx"]), "0");
  });

  it("PostgreSQL keeps its data in a volume that outlives the container", async () => {
    const run = [
      "run",
      "-d",
      "--name",
      "e2e-postgres",
      "-u",
      "postgres",
      "-v",
      `${volume}:/var/lib/postgresql`,
      "--shm-size",
      "128m",
      "--stop-signal",
      "INT",
      image,
    ];
    const serve = [
      "sh",
      "-c",
      "exec $(ls -d /usr/lib/postgresql/*/bin)/postgres -D $(ls -d /var/lib/postgresql/*/main) -c config_file=$(ls /etc/postgresql/*/main/postgresql.conf)",
    ];
    const psql = (sql: string): Promise<string> =>
      shared.ok(["exec", "-u", "postgres", "e2e-postgres", "psql", "-qAtc", sql]);
    await shared.ok([...run, ...serve]);
    await until("PostgreSQL answers", () => psql("select 1"), 60_000);
    await psql("create table ships as select n from generate_series(1, 1000) n");
    await shared.ok(["stop", "e2e-postgres"]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", "e2e-postgres"]), "0");
    assert.match((await shared.docker(["logs", "e2e-postgres"])).stderr, /database system is shut down/);
    await shared.ok(["rm", "e2e-postgres"]);
    await shared.ok([...run, ...serve]);
    await until("PostgreSQL answers again", () => psql("select 1"), 60_000);
    assert.equal(await psql("select sum(n) from ships"), "500500");
  });

  it("Redis is talked to from another container", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      "e2e-redis",
      image,
      "redis-server",
      "--save",
      "",
      "--bind",
      "0.0.0.0",
      "--protected-mode",
      "no",
    ]);
    const address = await shared.ok(["inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", "e2e-redis"]);
    const cli = (...args: string[]): Promise<string> =>
      shared.ok(["run", "--rm", image, "redis-cli", "-h", address, ...args]);
    await until("Redis answers", async () => (await cli("ping")) === "PONG");
    await cli("set", "harbour", "Longshore");
    assert.equal(await shared.ok(["exec", "e2e-redis", "redis-cli", "get", "harbour"]), "Longshore");
    await shared.ok(["restart", "e2e-redis"]);
    assert.match(
      await shared.ok(["logs", "e2e-redis"]),
      /Ready to accept connections[\s\S]*Ready to accept connections/,
    );
  });
});
