import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { Daemon } from "../engine/daemon.ts";
import { shared } from "../engine/shared.ts";
import { repository, tool } from "../engine/tools.ts";
import { exec, type Result } from "../host/exec.ts";
import { until } from "../host/until.ts";

const receiver =
  "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint('bound',flush=True)\nwhile True: print(s.recv(4096).decode(),flush=True)";

/** What a start warns of, by key. */
const unserved = {
  builder: { gc: { enabled: true, defaultKeepStorage: "10GB" } },
  "cdi-spec-dirs": ["/etc/cdi"],
  "cri-containerd": true,
  "allow-nondistributable-artifacts": ["reg.invalid"],
  "live-restore": false,
  "max-download-attempts": 3,
  "network-control-plane-mtu": 1400,
  rootless: true,
  "selinux-enabled": true,
  "storage-driver": "vfs",
  "storage-opts": ["size=10G"],
  "swarm-default-advertise-addr": "lo",
  "userns-remap": "default",
};

describe("a daemon.json of Docker", () => {
  let dir = "";
  let engine: Daemon;
  let proxied: string[] = [];
  const proxy = createServer((socket) =>
    socket
      .on("error", () => undefined)
      .once(
        "data",
        (bytes) => (
          proxied.push(String(bytes).split("\r\n", 1)[0] ?? ""),
          socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        ),
      ),
  );
  const said: string[] = [];
  const manager = { end: (): unknown => undefined };

  const dockerd = (...args: string[]): Promise<Result> => exec(join(repository, "bin/dockerd"), args);
  const docker = (...args: string[]): Promise<Result> =>
    exec(tool("docker"), args, { env: { DOCKER_HOST: `unix://${dir}/docker.sock`, DOCKER_CONFIG: dir } });
  const ok = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await docker(...args);
    assert.equal(code, 0, stderr);
    return stdout.trimEnd();
  };

  before(async function () {
    this.timeout(60_000);
    dir = mkdtempSync("/tmp/longshore-");
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const url = `http://u:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const config = {
      ...unserved,
      proxies: { "http-proxy": url, "https-proxy": url, "no-proxy": "a.example" },
      features: { buildkit: false },
      "host-gateway-ips": ["192.0.2.7"],
      "node-generic-resources": ["GPU=one", "SSD=3"],
      "seccomp-profile": "unconfined",
      "raw-logs": true,
      label: ["no=key"],
    };
    writeFileSync(join(dir, "daemon.json"), JSON.stringify(config));
    writeFileSync(join(dir, "engine.json"), "{}");
    const child = spawn("python3", ["-c", receiver, join(dir, "notify")], { stdio: ["ignore", "pipe", "inherit"] });
    manager.end = () => child.kill("SIGKILL");
    child.stdout.on("data", (bytes: Buffer) => said.push(...String(bytes).split("\n").filter(Boolean)));
    await until("the service manager listens", () => said.includes("bound"));
    engine = new Daemon({
      name: "dockerd",
      command: join(repository, "bin/dockerd"),
      args: [
        ...[
          "-H",
          `unix://${dir}/docker.sock`,
          "--data-root",
          join(dir, "data"),
          "--exec-root",
          join(dir, "run"),
          "--pidfile",
          join(dir, "pid"),
          "--config-file",
          join(dir, "daemon.json"),
          "--longshore-config-file",
          join(dir, "engine.json"),
        ],
        ...[
          "--containerd",
          join(shared.dir, "containerd.sock"),
          "--containerd-namespace",
          "config",
          "--containerd-plugins-namespace",
          "plugins.config",
          "--bridge",
          "none",
          "--iptables=false",
          "--ip6tables=false",
          "--ip-forward=false",
        ],
      ],
      socket: join(dir, "docker.sock"),
      log: join(dir, "dockerd.log"),
      env: { NOTIFY_SOCKET: join(dir, "notify") },
    });
    await engine.start();
  });
  after(async function () {
    this.timeout(60_000);
    await docker("image", "rm", "-f", "busybox");
    await engine.stop();
    manager.end();
    proxy.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it("starts the engine; what is served is shown as Docker shows it, what is not is named", async () => {
    const info = JSON.parse(await ok(["info", "-f", "{{json .}}"])) as Record<string, unknown> & { Warnings: string[] };
    assert.match(String(info["HttpProxy"]), /^http:\/\/xxxxx:xxxxx@127\.0\.0\.1:\d+$/);
    assert.equal(info["NoProxy"], "a.example");
    assert.deepEqual(info["GenericResources"], [
      { NamedResourceSpec: { Kind: "GPU", Value: "one" } },
      { DiscreteResourceSpec: { Kind: "SSD", Value: 3 } },
    ]);
    assert.deepEqual((info["Containerd"] as { Namespaces: unknown }).Namespaces, {
      Containers: "config",
      Plugins: "plugins.config",
    });
    assert.ok(info.Warnings.includes("WARNING: daemon is not using the default seccomp profile"));
    for (const key of [...Object.keys(unserved), "label"])
      assert.ok(
        info.Warnings.some((warning) => warning.startsWith(`WARNING: ${key} `)),
        `${key}: ${info.Warnings.join("\n")}`,
      );
    const ping = await exec("curl", ["-si", "--unix-socket", join(dir, "docker.sock"), "http://d/_ping"]);
    assert.match(ping.stdout, /^builder-version: 1\r$/im);
    const log = readFileSync(engine.log, "utf8").trimEnd().split("\n");
    for (const line of log) assert.match(line, /^time="[^"]+Z" level=[a-z]+ msg="/);
    assert.ok(log.some((line) => /level=warning msg="userns-remap is not served: /.test(line)));
  });

  it("host-gateway is the configured address, pulls take the proxy, and users' mistakes are no errors of the engine", async () => {
    await importBusybox({ ok });
    assert.match(
      await ok(["run", "--rm", "--network", "none", "--add-host", "gw:host-gateway", "busybox", "cat", "/etc/hosts"]),
      /^192\.0\.2\.7\s+gw$/m,
    );
    const mistakes = await Promise.all([
      docker("run", "--rm", "--network", "none", "--user", "nosuch", "busybox", "true"),
      docker("run", "--rm", "--network", "none", "busybox", "nosuch"),
      docker("run", "--rm", "--network", "nosuch", "busybox", "true"),
      docker("run", "--rm", "--log-driver", "nosuch", "busybox", "true"),
      docker("run", "--rm", "--memory", "1", "busybox", "true"),
      docker("pull", "reg.invalid/nothing"),
      docker("volume", "create", "-d", "nosuch", "v"),
      docker("exec", "nosuch", "true"),
    ]);
    for (const { code } of mistakes) assert.notEqual(code, 0);
    assert.ok(proxied.includes("CONNECT reg.invalid:443 HTTP/1.1"), proxied.join("\n"));
    const log = readFileSync(engine.log, "utf8").split("\n");
    assert.deepEqual(
      log.filter((line) => /level=(error|fatal)| stack=/.test(line)),
      [],
    );
  });

  it("systemd hears when the engine is up and when it stops", async function () {
    this.timeout(60_000);
    await until("READY=1", () => said.includes("READY=1"));
    assert.ok(!readFileSync(`/proc/${engine.pid}/environ`, "utf8").split("\0").includes("STOPPING=1"));
    await engine.stop();
    await until("STOPPING=1", () => said.includes("STOPPING=1"));
    await engine.start();
  });

  it("--validate refuses what the start would refuse, and touches nothing", async () => {
    const data = join(dir, "docker");
    mkdirSync(join(data, "image/overlay2"), { recursive: true });
    const refused: [string, RegExp, string[]?, string?][] = [
      [
        '{"log-driver":"gelf","log-opts":{"tag":"x"}}',
        /^failed to start daemon: failed to set log opts: gelf-address is a/,
      ],
      [
        `{"data-root":"${data}","pidfile":"${dir}/other.pid"}`,
        /is a data root of Docker \(it has .*\/image\), which is left untouched/,
        [],
      ],
      [
        "{}",
        /engine with file .*: invalid JSON: the following directives .*: socket$/m,
        ["--validate"],
        '{"socket":[]}',
      ],
    ];
    await Promise.all(
      refused.map(async ([json, reason, args = ["--validate"], own = "{}"], index) => {
        const file = join(dir, `${index}.json`);
        writeFileSync(file, json);
        writeFileSync(join(dir, `own-${index}.json`), own);
        const { code, stderr } = await dockerd(
          ...["--config-file", file, "--longshore-config-file", join(dir, `own-${index}.json`)],
          ...["-H", `unix://${dir}/other.sock`],
          ...args,
        );
        assert.equal(code, 1, json);
        assert.match(stderr.replace(/^.*?(failed to start daemon|invalid TLS|engine with file)/s, "$1"), reason);
      }),
    );
    assert.deepEqual(readdirSync(data), ["image"]);
    const former = join(dir, "former.json");
    writeFileSync(former, '{"longshore":{"max-unpacked-size":"1GB"}}');
    for (const file of [join(dir, "daemon.json"), former]) {
      const good = await dockerd(
        "--validate",
        "--config-file",
        file,
        "--longshore-config-file",
        join(dir, "engine.json"),
      );
      assert.deepEqual([good.code, good.stderr.trimEnd().split("\n").at(-1)], [0, "configuration OK"]);
      assert.equal(/^NOTE: the key longshore of .* belongs in .*engine\.json/m.test(good.stderr), file === former);
    }
  });
});
