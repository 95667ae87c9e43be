import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { exec, type Result } from "../host/exec.ts";
import { until } from "../host/until.ts";

const project = `
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c "echo up; sleep 300"
    healthcheck: { test: "true", interval: 1s }
    volumes: [ "data:/data" ]
    stop_signal: SIGKILL
  web:
    image: busybox
    command: sh -c "mkdir -p /www; echo hi > /www/index.html; httpd -f -p 80 -h /www"
    depends_on: { db: { condition: service_healthy } }
    ports: [ "127.0.0.1::80" ]
    links: [ "db:database" ]
    stop_signal: SIGKILL
volumes: { data: {} }
`;

describe("docker-compose 1.29, the last one in Python", function () {
  this.timeout(200_000);
  const folder = mkdtempSync(join(tmpdir(), "compose-v1-"));
  const compose = (...args: string[]): Promise<Result> =>
    exec(
      "/usr/bin/docker-compose",
      ["--ansi", "never", "-p", "e2ev1", "-f", join(folder, "docker-compose.yml"), ...args],
      { env: { ...shared.clientEnv(), COMPOSE_HTTP_TIMEOUT: "120" }, timeoutMs: 100_000 },
    );
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await compose(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };

  before(async function () {
    // Debian 13 and later have only the one in Go under this name.
    if (!(await exec("/usr/bin/docker-compose", ["version", "--short"])).stdout.startsWith("1.29")) this.skip();
    writeFileSync(join(folder, "docker-compose.yml"), project);
  });
  after(async () => {
    await compose("down", "-v", "-t", "0");
    rmSync(folder, { recursive: true });
  });

  it("up, links, ports, logs, scale, run, restart, stop and down", async () => {
    await ok("up", "-d");
    assert.match(await ok("exec", "-T", "web", "nslookup", "database"), /Name:\s+database/);
    const address = (await ok("port", "web", "80")).trim();
    await until("the page is served", async () => (await (await fetch(`http://${address}/`)).text()) === "hi\n");
    assert.match(await ok("logs", "db"), /db_1 +\| up/);
    await ok("up", "-d", "--scale", "web=3");
    assert.match(await ok("ps"), /e2ev1_web_1.*Up[\s\S]*e2ev1_web_2.*Up[\s\S]*e2ev1_web_3.*Up/);
    const once = await compose("run", "--rm", "-T", "web", "sh", "-c", "echo once; exit 4");
    assert.deepEqual([once.code, once.stdout], [4, "once\n"]);
    await ok("restart", "-t", "0", "db");
    await ok("pause", "db");
    assert.match(await ok("ps", "db"), /Paused/);
    await ok("unpause", "db");
    assert.match(await ok("top", "db"), /sleep 300/);
    await ok("stop", "-t", "0");
    await ok("down", "-v");
    assert.equal(await shared.ok(["ps", "-aq", "--filter", "label=com.docker.compose.project=e2ev1"]), "");
    assert.equal(await shared.ok(["volume", "ls", "-q", "--filter", "name=e2ev1_data"]), "");
  });
});
