import { Pair, image } from "./pair.ts";

describe("ctr tasks and containers, as with the stock containerd", () => {
  const pair = new Pair();
  before(() => pair.start());
  after(() => pair.dispose());

  it("tasks ls, ps, exec, pause, resume, kill, rm", () =>
    pair.same(async (side) => {
      await side.ctr("run", "-d", image, "one", "sleep", "300");
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "ls", "-q");
      await side.ctr("tasks", "ps", "one");
      await side.ctr(
        "tasks",
        "exec",
        "--exec-id",
        "e1",
        "--cwd",
        "/tmp",
        "--user",
        "65534",
        "one",
        "sh",
        "-c",
        "id -u; pwd; echo err >&2; exit 9",
      );
      await side.terminal(
        ["tasks", "exec", "-t", "--exec-id", "e2", "one", "sh", "-c", "tty; read word; echo got $word; exit 2"],
        [{ prompt: "pts", input: "typed\r" }],
      );
      await side.ctr("tasks", "exec", "--exec-id", "e3", "one", "nosuchcommand");
      await side.ctr("tasks", "exec", "one", "true");
      await side.ctr("tasks", "exec", "-d", "--exec-id", "e4", "one", "sleep", "301");
      await side.ctr("tasks", "exec", "-d", "--exec-id", "e4", "one", "sleep", "301");
      await side.ctr("tasks", "exec", "-d", "--exec-id", "a/b", "one", "sleep", "301");
      await side.ctr("tasks", "ps", "one");
      await side.ctr("tasks", "kill", "--exec-id", "e4", "-s", "SIGKILL", "one");
      await side.ctr("tasks", "kill", "--exec-id", "e9", "one");
      await side.ctr("tasks", "rm", "--exec-id", "e9", "one");
      await side.ctr("tasks", "pause", "one");
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "pause", "one");
      await side.ctr("tasks", "exec", "--exec-id", "e5", "one", "true");
      await side.ctr("tasks", "rm", "one");
      await side.ctr("tasks", "resume", "one");
      await side.ctr("tasks", "resume", "one");
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "rm", "one");
      await side.ctr("tasks", "start", "one");
      await side.ctr("containers", "rm", "one");
      await side.ctr("tasks", "kill", "-s", "NOSUCH", "one");
      await side.ctr("tasks", "kill", "-s", "SIGKILL", "one");
      await side.stopped("one");
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "kill", "one");
      await side.ctr("tasks", "kill", "-a", "one");
      await side.ctr("tasks", "pause", "one");
      await side.ctr("tasks", "resume", "one");
      await side.ctr("tasks", "exec", "--exec-id", "e6", "one", "true");
      await side.ctr("tasks", "ps", "one");
      await side.ctr("tasks", "checkpoint", "one");
      await side.ctr("tasks", "rm", "one");
      await side.ctr("tasks", "rm", "one");
      await side.ctr("tasks", "kill", "one");
      await side.ctr("tasks", "ps", "one");
      await side.ctr("tasks", "pause", "one");
      await side.ctr("tasks", "metrics", "one");
      await side.ctr("tasks", "exec", "--exec-id", "e6", "one", "true");
      await side.ctr("containers", "rm", "one");
      await side.ctr("containers", "rm", "one");
      await side.ctr("tasks", "kill", "one");
      await side.ctr("tasks", "start", "one");
    }));

  it("tasks attach, start, kill of all, rm --force", () =>
    pair.same(async (side) => {
      await side.ctr("containers", "create", image, "one", "sh", "-c", "echo started; exit 7");
      await side.ctr("tasks", "ls");
      await side.ctr("tasks", "start", "one");
      await side.ctr("tasks", "attach", "one");
      await side.ctr("containers", "create", "-t", image, "two", "sh", "-c", "tty; read word; echo got $word; exit 6");
      await side.terminal(["tasks", "start", "two"], [{ prompt: "pts", input: "typed\r" }]);
      await side.ctr("run", "-d", image, "three", "sh", "-c", "sleep 300 & sleep 300");
      await side.ctr("tasks", "kill", "-a", "-s", "SIGKILL", "three");
      await side.stopped("three");
      await side.ctr("tasks", "rm", "three");
      await side.ctr("run", "-d", image, "four", "sleep", "300");
      await side.ctr("tasks", "rm", "-f", "four");
      await side.ctr("tasks", "ls");
      await side.ctr("containers", "ls");
    }));

  it("tasks metrics and checkpoint", () =>
    pair.same(async (side) => {
      await side.ctr("run", "-d", "--memory-limit", "20971520", image, "one", "sleep", "300");
      const metrics = await side.containerd.ok("tasks", "metrics", "one");
      side.note(metrics.replace(/^one .*$/m, "one").replace(/^(\S*(?:usage|cache)\S* +).*$/gm, "$1N"));
      side.note(
        Object.keys(JSON.parse(await side.containerd.ok("tasks", "metrics", "--format", "json", "one")) as object)
          .sort()
          .join(),
      );
      await side.ctr("tasks", "checkpoint", "--image-path", side.dir, "--work-path", side.dir, "one");
      await side.ctr("tasks", "checkpoint", "one");
      await side.ctr("containers", "checkpoint", "--task", "one", "example.org/checkpoint:1");
      await side.ctr("tasks", "ls");
    }));

  it("containers create, info, label, ls, rm", () =>
    pair.same(async (side) => {
      await side.ctr(
        "containers",
        "create",
        "--label",
        "a=b",
        "--env",
        "X=y",
        "--annotation",
        "note=1",
        "--cap-add",
        "CAP_NET_ADMIN",
        image,
        "one",
        "sleep",
        "300",
      );
      await side.ctr("containers", "create", image, "one");
      await side.ctr("containers", "create", image, "a/b");
      await side.ctr("containers", "create", "example.org/none:1", "two");
      await side.ctr("containers", "label", "one", "io.containerd.image.config.stop-signal=", "a=b");
      await side.ctr("containers", "label", "none", "c=d");
      await side.ctr("containers", "info", "one");
      await side.ctr("containers", "info", "none");
      await side.ctr("containers", "create", "--config", "/dev/null", "three");
      await side.ctr("containers", "create", "--runtime", "io.containerd.other.v1", image, "four");
      await side.ctr("containers", "ls");
      await side.ctr("containers", "ls", "-q");
      await side.ctr("containers", "ls", "labels.a==b");
      await side.ctr("containers", "ls", "-q", "id~=^f.*r$");
      await side.ctr("containers", "ls", "-q", `image==${image},runtime.name==io.containerd.runc.v2`);
      await side.ctr("containers", "ls", "bad[");
      await side.ctr("containers", "rm", "one", "three", "four");
      await side.ctr("containers", "rm", "one");
      await side.ctr("containers", "rm");
    }));
});
