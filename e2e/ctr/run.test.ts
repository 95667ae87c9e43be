import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pair, image } from "./pair.ts";

describe("ctr run, as with the stock containerd", () => {
  const pair = new Pair();
  before(() => pair.start());
  after(() => pair.dispose());

  it("output, exit code, --rm, --env, --cwd, --user", () =>
    pair.same(async (side) => {
      await side.ctr(
        "run",
        "--rm",
        "--env",
        "A=b",
        "--cwd",
        "/tmp",
        image,
        "one",
        "sh",
        "-c",
        "echo $A; pwd; echo err >&2; exit 5",
      );
      await side.ctr("run", "--rm", "--user", "65534:777", image, "two", "sh", "-c", "id -u; id -g");
      await side.ctr("run", "--rm", "--user", "nobody", image, "three", "sh", "-c", "id -u; id -g");
      await side.ctr("run", "--rm", "--user", "nosuch", image, "unknown", "id");
      await side.ctr("run", "--rm", "--cwd", "/made/here", image, "five", "pwd");
      await side.ctr("run", "--rm", image, "four", "sh", "-c", "kill -9 $$");
      await side.ctr("run", "--rm", image, "four", "nosuchcommand");
      await side.ctr("run", "--rm", "example.org/none:1", "four", "true");
      await side.ctr("containers", "ls");
      await side.ctr("tasks", "ls");
    }));

  it("-t", () =>
    pair.same(async (side) => {
      await side.terminal(
        ["run", "--rm", "-t", image, "one", "sh", "-c", "tty; read word; echo got $word; exit 3"],
        [{ prompt: "pts", input: "typed\r" }],
      );
      await side.terminal(["run", "--rm", "-t", image, "six", "nosuchcommand"]);
    }));

  it("--mount, --read-only, --net-host, --memory-limit, --hostname, --privileged", () =>
    pair.same(async (side) => {
      const dir = join(side.dir, "mounted");
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "file"), "from the host\n");
      await side.ctr(
        "run",
        "--rm",
        "--mount",
        `type=bind,src=${dir},dst=/mnt,options=rbind:ro`,
        image,
        "one",
        "sh",
        "-c",
        "cat /mnt/file; echo x >/mnt/new",
      );
      await side.ctr(
        "run",
        "--rm",
        "--mount",
        `type=bind,src=${dir}/none,dst=/mnt,options=rbind:ro`,
        image,
        "seven",
        "true",
      );
      await side.ctr("run", "--rm", "--mount", "nonsense", image, "six", "true");
      await side.ctr("run", "--rm", "--read-only", image, "two", "touch", "/file");
      await side.ctr(
        "run",
        "--rm",
        "--net-host",
        image,
        "three",
        "sh",
        "-c",
        "ls /sys/class/net | grep -x lo; readlink /proc/self/ns/net",
      );
      await side.ctr("run", "--rm", image, "three", "sh", "-c", "ls /sys/class/net");
      await side.ctr(
        "run",
        "--rm",
        "--memory-limit",
        "20971520",
        image,
        "four",
        "sh",
        "-c",
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
      );
      await side.ctr(
        "run",
        "--rm",
        "--cpus",
        "0.5",
        "--hostname",
        "told",
        "--privileged",
        image,
        "five",
        "sh",
        "-c",
        "hostname; grep CapEff /proc/self/status",
      );
      await side.ctr("run", "--rm", "--with-ns", "network:/nosuch", image, "five", "true");
    }));

  it("-d, --pid-file, --log-uri, --null-io, the same id twice", () =>
    pair.same(async (side) => {
      const pidFile = join(side.dir, "pid");
      await side.ctr(
        "run",
        "-d",
        "--pid-file",
        pidFile,
        "--log-uri",
        `file://${side.dir}/log/out`,
        image,
        "one",
        "sh",
        "-c",
        "echo out; echo err >&2; exec sleep 300",
      );
      side.note(String(existsSync(`/proc/${readFileSync(pidFile, "utf8")}`)));
      await side.ctr("run", "-d", image, "one", "true");
      await side.ctr("tasks", "kill", "-s", "SIGKILL", "one");
      await side.stopped("one");
      side.note(readFileSync(join(side.dir, "log/out"), "utf8").split("\n").sort().join());
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "start", "one");
      await side.ctr("containers", "rm", "one");
      await side.ctr("tasks", "rm", "one");
      await side.ctr("tasks", "start", "-d", "one");
      await side.ctr("tasks", "ls");
      await side.ctr("run", "-d", "--null-io", image, "two", "sh", "-c", "echo lost; exit 4");
      await side.stopped("two");
      await side.ctr("tasks", "delete", "two");
      await side.ctr("run", "-d", "--log-uri", "nosuch:///scheme", image, "three", "true");
      await side.ctr("run", "-d", "--runtime", "io.containerd.none.v2", image, "four", "true");
      await side.ctr("run", "-d", "--runtime", "/none/shim", image, "eight", "true");
      await side.ctr("run", "-d", "--runtime", "none", image, "five", "true");
      await side.ctr("run", "-d", "--runc-binary", "nosuch-runc", image, "nine", "true");
      await side.ctr("run", "-d", "--runc-root", join(side.dir, "runc"), image, "seven", "sleep", "300");
      side.note(String(existsSync(join(side.dir, "runc", side.containerd.namespace, "seven/state.json"))));
    }));
});
