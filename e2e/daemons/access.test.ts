import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { makeCertificates } from "../engine/certificates.ts";
import { Longshore } from "../engine/longshore.ts";
import { repository, tool } from "../engine/tools.ts";
import { type ExecOptions, exec, type Result } from "../host/exec.ts";
import { freePort } from "../host/port.ts";
import { until } from "../host/until.ts";

describe("access to the engine", () => {
  const longshore = new Longshore({ bridge: `lsa${process.pid}`, address: `10.214.${process.pid % 250}.1/24` });
  const { dir } = longshore;
  const at = (name: string): string => join(dir, name);
  const socket = (name: string): string => `unix://${at(`${name}.sock`)}`;
  let port = 0;

  /** The stock CLI on another address of the same engine. */
  const on = (host: string, args: readonly string[], options: ExecOptions = {}): Promise<Result> =>
    longshore.docker(["-H", host, ...args], options);
  const tcp = (): string => `tcp://127.0.0.1:${port}`;
  const tlsFlags = (name: string): string[] => [
    "--tlsverify",
    "--tlscacert",
    at("ca.pem"),
    "--tlscert",
    at(`${name}.pem`),
    "--tlskey",
    at(`${name}.key`),
  ];
  const server = ["--tlscacert", at("ca.pem"), "--tlscert", at("server.pem"), "--tlskey", at("server.key")];

  before(async function () {
    this.timeout(60_000);
    await makeCertificates(dir);
    port = await freePort();
    const sockets = [
      { path: at("read.sock"), "read-only": true, mode: "0600", group: "0" },
      { path: at("web.sock"), "container-labels": ["team=web"] },
      { path: at("few.sock"), endpoints: ["GET /containers/json", "POST /containers/{id}/restart"] },
    ];
    writeFileSync(at("engine.json"), JSON.stringify({ sockets, "audit-log": { path: at("audit/log.jsonl") } }));
    await longshore.start();
    await importBusybox(longshore);
    for (const team of ["web", "db"])
      await longshore.ok(["run", "-d", "--name", team, "--label", `team=${team}`, "busybox", "sleep", "300"]);
  });
  after(async function () {
    this.timeout(60_000);
    await longshore.docker(["rm", "-f", "web", "db"]);
    await longshore.dispose();
  });

  async function restart(...args: string[]): Promise<void> {
    await longshore.engine.stop();
    await longshore.engine.start(args);
  }

  describe("TCP", () => {
    after(() => restart());

    it("with mutual TLS: runs, attaches with input, executes", async () => {
      await restart("-H", tcp(), "--tlsverify", ...server);
      const run = await on(
        tcp(),
        [...tlsFlags("client"), "run", "-i", "--rm", "busybox", "sh", "-c", "read word; echo got $word; exit 5"],
        { input: "word\n" },
      );
      assert.deepEqual([run.code, run.stdout], [5, "got word\n"], run.stderr);
      assert.equal((await on(tcp(), [...tlsFlags("client"), "exec", "web", "echo", "inside"])).stdout, "inside\n");
      assert.equal(
        (
          await on(tcp(), [...tlsFlags("client"), "info", "-f", "{{range .Warnings}}{{println .}}{{end}}"])
        ).stdout.includes("API is accessible"),
        false,
      );
    });

    it("lets nobody in without a certificate of its CA, and tells who speaks plain HTTP", async () => {
      for (const flags of [["--tls", "--tlscacert", at("ca.pem")], tlsFlags("stranger")]) {
        const { code, stderr } = await on(tcp(), [...flags, "ps"]);
        assert.notEqual(code, 0);
        assert.match(stderr, /tls: (certificate required|unknown certificate authority)/);
      }
      assert.match((await on(tcp(), ["ps"])).stderr, /Client sent an HTTP request to an HTTPS server\./);
    });

    it("writes who came into the audit log, by certificate", async () => {
      const lines = audit().filter(
        (line) => line["remote"] === undefined && JSON.stringify(line).includes('"certificate":"client"'),
      );
      assert.ok(lines.some((line) => line["path"] === "/containers/create"));
    });

    it("--tlsverify=false encrypts only, and says so", async () => {
      await restart("-H", tcp(), "--tlsverify=false", ...server);
      const { stdout } = await on(tcp(), [
        "--tls",
        "--tlscacert",
        at("ca.pem"),
        "info",
        "-f",
        "{{range .Warnings}}{{println .}}{{end}}",
      ]);
      assert.match(
        stdout,
        new RegExp(`API is accessible on https://127.0.0.1:${port} without TLS client verification\\.`),
      );
    });

    it("without TLS warns, in its log and to who asks", async () => {
      await restart("-H", tcp());
      const { stdout } = await on(tcp(), ["info", "-f", "{{range .Warnings}}{{println .}}{{end}}"]);
      assert.match(stdout, new RegExp(`API is accessible on http://127.0.0.1:${port} without encryption\\.`));
      assert.match(readFileSync(longshore.engine.log, "utf8"), /without encryption/);
    });
  });

  it("serves the socket that a service manager opened", async () => {
    await longshore.engine.stop();
    const args = [
      "-H",
      "fd://",
      "--data-root",
      at("data"),
      "--exec-root",
      at("run/docker"),
      "--pidfile",
      at("docker.pid"),
      "--containerd",
      at("containerd.sock"),
      "--config-file",
      at("daemon.json"),
      "--longshore-config-file",
      at("engine.json"),
      "--bridge",
      `lsa${process.pid}`,
    ];
    // As a service manager does: the socket is there before the daemon, and nobody else takes connections from it.
    const activate = `
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
listener.listen()
os.rename(sys.argv[1] + ".new", sys.argv[1])
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
`;
    const child = spawn(
      "/usr/bin/python3",
      ["-c", activate, at("activated.sock"), join(repository, "bin/dockerd"), ...args],
      { stdio: "ignore" },
    );
    try {
      await until("the socket is there", () => existsSync(at("activated.sock")));
      // The connection waits in the socket until the daemon takes it.
      const { stdout, stderr } = await on(socket("activated"), [
        "ps",
        "--format",
        "{{.Names}}",
        "--filter",
        "name=web",
      ]);
      assert.equal(stdout, "web\n", stderr);
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await longshore.engine.start();
    }
  });

  it("refuses to start with what cannot work, in dockerd's words", async () => {
    const start = async (...args: string[]): Promise<string> =>
      (
        await exec(join(repository, "bin/dockerd"), [
          "--config-file",
          at("empty.json"),
          "--longshore-config-file",
          "/dev/null",
          "--data-root",
          at("x"),
          "--pidfile",
          at("x.pid"),
          "--exec-root",
          at("x"),
          "--containerd",
          at("containerd.sock"),
          ...args,
        ])
      ).stderr;
    writeFileSync(at("empty.json"), "{}");
    assert.match(
      await start("-H", "bogus://x"),
      /^invalid argument "bogus:\/\/x" for "-H, --host" flag: invalid bind address \(bogus:\/\/x\): unsupported proto 'bogus'$/m,
    );
    assert.match(
      await start("-H", "tcp://127.0.0.1:1", "--tlsverify"),
      /^invalid TLS configuration: Could not load X509 key pair \(cert: "", key: ""\): open : no such file or directory$/m,
    );
    assert.match(
      await start("-H", "fd://", "--bridge", "none"),
      /^failed to load listeners: no sockets found via socket activation: make sure the service was started by systemd$/m,
    );
  });

  it("over SSH: the CLI at the other end carries the connection", async () => {
    mkdirSync(at("bin"), { recursive: true });
    // Stands for ssh: runs the command as the server's shell would.
    writeFileSync(at("bin/ssh"), '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexec sh -c "$*"\n');
    writeFileSync(at("bin/docker"), `#!/bin/sh\nDOCKER_HOST=${longshore.host} exec ${tool("docker")} "$@"\n`);
    for (const name of ["ssh", "docker"]) chmodSync(at(`bin/${name}`), 0o755);
    const env = { PATH: `${at("bin")}:${process.env["PATH"]}` };
    const result = await on("ssh://server", ["run", "-i", "--rm", "busybox", "cat"], { input: "over\n", env });
    assert.deepEqual([result.code, result.stdout], [0, "over\n"], result.stderr);
  });

  it("a context of the CLI names it", async () => {
    await longshore.ok(["context", "create", "here", "--docker", `host=${longshore.host}`]);
    const env = { DOCKER_HOST: "" };
    assert.equal(
      (await longshore.docker(["--context", "here", "ps", "--format", "{{.Names}}", "--filter", "name=db"], { env }))
        .stdout,
      "db\n",
    );
    await longshore.ok(["context", "rm", "-f", "here"]);
  });

  describe("a further socket", () => {
    const refused = async (name: string, ...args: string[]): Promise<void> => {
      const { code, stderr } = await on(socket(name), args);
      assert.notEqual(code, 0, `${args.join(" ")} was let through`);
      assert.match(stderr, /permission denied: \w+ \S+: this socket/);
    };

    it("read-only: shows everything and changes nothing", async () => {
      assert.equal(statSync(at("read.sock")).mode & 0o777, 0o600);
      assert.equal((await on(socket("read"), ["ps", "--format", "{{.Names}}"])).stdout, "db\nweb\n");
      assert.equal((await on(socket("read"), ["inspect", "-f", "{{.Name}}", "web"])).stdout, "/web\n");
      await refused("read", "run", "--rm", "busybox", "true");
      await refused("read", "exec", "web", "true");
      await refused("read", "stop", "web");
      await refused("read", "system", "prune", "-f");
      assert.equal(await longshore.ok(["inspect", "-f", "{{.State.Status}}", "web"]), "running");
    });

    it("container-labels: other containers do not exist, and no new ones can be made", async () => {
      assert.equal((await on(socket("web"), ["ps", "-a", "--format", "{{.Names}}"])).stdout, "web\n");
      assert.equal(
        (await on(socket("web"), ["ps", "-a", "--format", "{{.Names}}", "--filter", "label=team=db"])).stdout,
        "",
      );
      assert.equal((await on(socket("web"), ["exec", "web", "echo", "in"])).stdout, "in\n");
      assert.match((await on(socket("web"), ["rm", "-f", "db"])).stderr, /No such container: db/);
      assert.match((await on(socket("web"), ["exec", "db", "true"])).stderr, /No such container: db/);
      await refused("web", "run", "--rm", "--label", "team=web", "busybox", "true");
      const privileged = await on(socket("web"), ["exec", "--privileged", "web", "true"]);
      assert.match(privileged.stderr, /permission denied: this socket does not run privileged commands/);
      // The old form of filters, and none at all, are narrowed as well.
      for (const filters of ["", "?filters=null", `?filters=${encodeURIComponent('{"status":{"running":true}}')}`]) {
        const { stdout } = await exec("curl", [
          "-s",
          "--unix-socket",
          at("web.sock"),
          `http://docker/containers/json${filters}`,
        ]);
        assert.deepEqual(
          (JSON.parse(stdout) as { Names: string[] }[]).map(({ Names }) => Names),
          [["/web"]],
          filters,
        );
      }
    });

    it("container-labels: events of these containers only", async () => {
      const now = Math.floor(Date.now() / 1000);
      await longshore.ok(["kill", "-s", "CONT", "db"]);
      await longshore.ok(["kill", "-s", "CONT", "web"]);
      const { stdout } = await on(socket("web"), [
        "events",
        "--since",
        String(now - 1),
        "--until",
        String(Math.ceil(Date.now() / 1000) + 1),
        "--filter",
        "event=kill",
        "--format",
        "{{.Actor.Attributes.name}}",
      ]);
      assert.deepEqual([...new Set(stdout.trim().split("\n"))], ["web"]);
    });

    it("endpoints: only those", async () => {
      assert.equal((await on(socket("few"), ["ps", "--format", "{{.Names}}", "--filter", "name=web"])).stdout, "web\n");
      assert.equal((await on(socket("few"), ["restart", "-t", "0", "web"])).code, 0);
      await refused("few", "stop", "web");
      await refused("few", "images");
    });

    it("judges what runs, however the target is spelled", async () => {
      const body = JSON.stringify({ Image: "busybox", HostConfig: { Privileged: true } });
      const status = async (name: string, request: string): Promise<string> => {
        const [method = "", target = ""] = request.split(" ");
        const { stdout } = await exec("curl", [
          "-s",
          "-o",
          "/dev/null",
          "-w",
          "%{http_code}",
          "--unix-socket",
          at(`${name}.sock`),
          "-X",
          method,
          "-H",
          "Content-Type: application/json",
          "-d",
          body,
          "--request-target",
          target,
          "http://docker/",
        ]);
        return `${request}: ${stdout}`;
      };
      const expected: [name: string, request: string, code: number][] = [
        ["read", "POST /containers/create#/wait", 404],
        ["read", "POST /v1.43/containers/create#/wait", 404],
        ["read", "POST /containers/%63reate", 403],
        ["read", "POST http://docker/containers/create", 403],
        ["read", "POST /containers/./create", 301],
        ["read", "DELETE /containers/web#/wait", 403],
        ["read", "GET /containers/web/attach%2fws", 403],
        ["web", "POST /containers/db#/../web/kill", 301],
        ["web", "POST /containers/db%23/kill", 404],
        ["web", "POST /containers/create#/x/start", 400],
        ["few", "POST /containers/create#/restart", 404],
        ["few", "POST /containers/web/kill#/restart", 404],
        ["few", "GET /images/json#/containers/json", 403],
      ];
      const before = await longshore.ok(["ps", "-aq", "--no-trunc"]);
      assert.deepEqual(
        await Promise.all(expected.map(([name, request]) => status(name, request))),
        expected.map(([, request, code]) => `${request}: ${code}`),
      );
      assert.equal(await longshore.ok(["ps", "-aq", "--no-trunc"]), before);
    });
  });

  /** The audit log's lines, those of one request joined. */
  function audit(): Record<string, unknown>[] {
    const requests = new Map<unknown, Record<string, unknown>>();
    for (const line of readFileSync(at("audit/log.jsonl"), "utf8").trim().split("\n")) {
      const entry = JSON.parse(line) as Record<string, unknown>;
      requests.set(entry["id"], { ...requests.get(entry["id"]), ...entry });
    }
    return [...requests.values()];
  }

  it("the audit log tells who did what, also what was refused, without secrets", async () => {
    await longshore.ok(["exec", "-e", "KEY=hunter2", "web", "echo", "audited"]);
    await on(socket("read"), ["kill", "web"]);
    await until("the answers are written", () => audit().every((entry) => entry["status"] !== undefined));
    const entries = audit();
    assert.equal(statSync(at("audit/log.jsonl")).mode & 0o777, 0o600);
    const command = entries.find((entry) => JSON.stringify(entry["body"])?.includes("audited"));
    assert.ok(command !== undefined);
    const { uid, user } = command["client"] as Record<string, unknown>;
    assert.deepEqual([command["path"], command["status"], uid, user], ["/containers/web/exec", 201, 0, "root"]);
    assert.deepEqual((command["body"] as { Env: string[] }).Env, ["KEY=[hidden]"]);
    const refusedKill = entries.find(
      (entry) => entry["path"] === "/containers/web/kill" && entry["socket"] === at("read.sock"),
    );
    assert.equal(refusedKill?.["status"], 403);
    assert.equal(readFileSync(at("audit/log.jsonl"), "utf8").includes("hunter2"), false);
    assert.equal(
      entries.some((entry) => entry["method"] === "GET"),
      false,
    );
  });
});
