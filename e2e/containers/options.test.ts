import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";

/** Options of `docker run`, a shell command inside, and what it prints. */
const cases: [what: string, options: string[], command: string, output: string | RegExp][] = [
  [
    "-e and --env from the image's PATH",
    ["-e", "A=1", "-e", "B=two words"],
    "echo $A/$B/$PATH",
    "1/two words//usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  ],
  ["-w makes the directory", ["-w", "/made/on/the/spot"], "pwd", "/made/on/the/spot"],
  [
    "-u by name, with its groups",
    ["-u", "nobody"],
    "id",
    "uid=65534(nobody) gid=65534(nogroup) groups=777(extra),65534(nogroup)",
  ],
  ["-u by numbers", ["-u", "1234:4321"], "id -u; id -g", "1234\n4321"],
  ["--group-add", ["-u", "1234", "--group-add", "777"], "id -G", "0 777"],
  [
    "--hostname",
    ["--hostname", "ship"],
    "hostname; tail -n 1 /etc/hosts | tr '\\t' ' ' | cut -d' ' -f2; cat /etc/hostname",
    "ship\nship\nship",
  ],
  ["--add-host", ["--add-host", "quay:10.1.2.3"], "grep quay /etc/hosts", "10.1.2.3\tquay"],
  [
    "--dns",
    ["--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-option", "ndots:3"],
    "grep -v '^#' /etc/resolv.conf | grep . | sort | tr '\\n' ';'",
    "nameserver 192.0.2.53;options ndots:3;search example.org;",
  ],
  [
    "--read-only, with a writable tmpfs",
    ["--read-only", "--tmpfs", "/scratch:size=1m"],
    "touch /x 2>&1; touch /scratch/x && echo ok; df -m /scratch | tail -n 1 | awk '{print $2}'",
    "touch: /x: Read-only file system\nok\n1",
  ],
  ["the default capabilities", [], "grep CapEff /proc/self/status | awk '{print $2}'", "00000000a80425fb"],
  [
    "--cap-drop and --cap-add",
    ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
    "grep CapEff /proc/self/status | awk '{print $2}'",
    "0000000000001000",
  ],
  [
    "--privileged",
    ["--privileged"],
    "ls /dev | grep -c loop-control; grep Seccomp: /proc/self/status | awk '{print $2}'",
    /^[01]\n0$/,
  ],
  [
    "the seccomp filter by default",
    [],
    "grep Seccomp: /proc/self/status | awk '{print $2}'; unshare -m true 2>&1",
    /^2\nunshare: .*Operation not permitted$/,
  ],
  [
    "--security-opt seccomp=unconfined",
    ["--security-opt", "seccomp=unconfined"],
    "grep Seccomp: /proc/self/status | awk '{print $2}'",
    "0",
  ],
  [
    "--security-opt no-new-privileges",
    ["--security-opt", "no-new-privileges"],
    "grep NoNewPrivs /proc/self/status | awk '{print $2}'",
    "1",
  ],
  [
    "masked and read-only paths",
    [],
    "cat /proc/keys | wc -c; sysctl -w kernel.domainname=x 2>&1 | tail -n 1",
    /^0\nsysctl: error .*Read-only file system$/,
  ],
  ["--init is process 1", ["--init"], "cat /proc/1/comm", /^(docker-init|tini)$/],
  ["--pid host", ["--pid", "host"], "cat /proc/1/comm | grep -cv '^sh$'", "1"],
  ["--ulimit", ["--ulimit", "nofile=123:456"], "ulimit -n; ulimit -Hn", "123\n456"],
  ["--sysctl", ["--sysctl", "net.ipv4.ip_forward=1"], "cat /proc/sys/net/ipv4/ip_forward", "1"],
  ["--shm-size", ["--shm-size", "8m"], "df -m /dev/shm | tail -n 1 | awk '{print $2}'", "8"],
  ["--entrypoint", ["--entrypoint", "echo"], "", ""],
  ["--network none has only lo", ["--network", "none"], "ls /sys/class/net", "lo"],
  ["--oom-score-adj", ["--oom-score-adj", "321"], "cat /proc/self/oom_score_adj", "321"],
  ["--device", ["--device", "/dev/null:/dev/nothing:r"], "test -c /dev/nothing && echo device", "device"],
  ["-t has a terminal", ["-t"], "tty | cut -c1-9", /^\/dev\/pts/],
  [
    "devices and mounts as ever",
    [],
    "ls /dev | tr '\\n' ' '",
    "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ",
  ],
];

describe("options of docker run", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "e2e-options-"))));
  after(() => rmSync(dir, { recursive: true }));

  for (const [what, options, command, output] of cases) {
    it(what, async () => {
      const result = await shared.docker([
        "run",
        "--rm",
        ...options,
        "busybox",
        ...(command === "" ? [] : ["sh", "-c", command]),
      ]);
      const printed = result.stdout.replaceAll("\r", "").trimEnd();
      if (typeof output === "string") assert.equal(printed, output.trimEnd(), result.stderr);
      else assert.match(printed, output, result.stderr);
    });
  }

  it("limits memory, processors and processes", async () => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      "e2e-limits",
      "--memory",
      "64m",
      "--cpus",
      "0.5",
      "--pids-limit",
      "17",
      "busybox",
      "sleep",
      "100",
    ]);
    try {
      const pid = await shared.ok(["inspect", "-f", "{{.State.Pid}}", "e2e-limits"]);
      const groups = readFileSync(`/proc/${pid}/cgroup`, "utf8");
      const file = (controller: string, v1: string, v2: string): string => {
        const path = groups
          .split("\n")
          .find((line) => line.split(":")[1]?.split(",").includes(controller))
          ?.split(":")[2];
        if (path !== undefined) return readFileSync(join("/sys/fs/cgroup", controller, path, v1), "utf8").trim();
        return readFileSync(join("/sys/fs/cgroup", groups.match(/^0::(.*)$/m)?.[1] ?? "", v2), "utf8").trim();
      };
      assert.equal(file("memory", "memory.limit_in_bytes", "memory.max"), String(64 << 20));
      assert.equal(file("pids", "pids.max", "pids.max"), "17");
      assert.match(file("cpu", "cpu.cfs_quota_us", "cpu.max"), /^50000( 100000)?$/);
    } finally {
      await shared.docker(["rm", "-f", "e2e-limits"]);
    }
  });

  it("reports a process that was killed for its memory", async () => {
    await shared.docker([
      "run",
      "--name",
      "e2e-oom",
      "--memory",
      "16m",
      "--memory-swap",
      "16m",
      "busybox",
      "sh",
      "-c",
      "dd if=/dev/zero of=/dev/null bs=64M count=1",
    ]);
    try {
      assert.equal(await shared.ok(["inspect", "-f", "{{.State.OOMKilled}}", "e2e-oom"]), "true");
    } finally {
      await shared.docker(["rm", "-f", "e2e-oom"]);
    }
  });

  it("-v and --mount bind host paths, read-only if asked", async () => {
    writeFileSync(join(dir, "file"), "from the host\n");
    assert.equal(
      await shared.ok([
        "run",
        "--rm",
        "-v",
        `${dir}:/data`,
        "busybox",
        "sh",
        "-c",
        "cat /data/file; echo back > /data/answer",
      ]),
      "from the host",
    );
    assert.equal(readFileSync(join(dir, "answer"), "utf8"), "back\n");
    const refused = await shared.docker([
      "run",
      "--rm",
      "--mount",
      `type=bind,source=${dir},target=/data,readonly`,
      "busybox",
      "touch",
      "/data/x",
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Read-only file system/);
  });

  it("--env-file, --label, --cidfile and --rm do what they say", async () => {
    writeFileSync(join(dir, "env"), "FROM_FILE=yes\n# a comment\n");
    const cidfile = join(dir, "cid");
    await shared.ok([
      "run",
      "-d",
      "--rm",
      "--env-file",
      join(dir, "env"),
      "--label",
      "e2e.kind=labelled",
      "--cidfile",
      cidfile,
      "busybox",
      "sh",
      "-c",
      "echo $FROM_FILE; sleep 100",
    ]);
    const id = readFileSync(cidfile, "utf8");
    assert.equal(await shared.ok(["ps", "-q", "--no-trunc", "--filter", "label=e2e.kind=labelled"]), id);
    await shared.ok(["rm", "-f", id]);
    assert.equal((await shared.docker(["inspect", id])).code, 1);
  });
});
