import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { Terminal } from "../engine/terminal.ts";
import { until } from "../host/until.ts";

describe("in a terminal", () => {
  const name = "e2e-terminal";
  const other = "e2e-terminal-other";
  let terminal: Terminal | undefined;

  afterEach(async () => {
    terminal?.close();
    await shared.docker(["rm", "-f", name, other]);
  });

  it("run -it gives a shell of the terminal's size, follows its resize, and passes the exit code", async () => {
    terminal = new Terminal(shared, ["run", "-it", "--rm", "--name", name, "busybox", "sh"], { columns: 91, rows: 33 });
    await terminal.prints("# ");
    terminal.type("stty size\r");
    await terminal.prints("33 91");
    await until("the new size arrives", async () => {
      // The CLI installs its handler some time after the prompt, and the kernel tells of changes only.
      terminal?.resize(121, 40);
      terminal?.resize(120, 40);
      return (await shared.ok(["exec", name, "sh", "-c", "stty size < /proc/1/fd/0"])) === "40 120";
    });
    terminal.type("exit 5\r");
    assert.equal(await terminal.exited, 5);
  });

  it("Ctrl-C goes to the program, not to the client", async () => {
    terminal = new Terminal(shared, [
      "run",
      "-it",
      "--rm",
      "--name",
      name,
      "busybox",
      "sh",
      "-c",
      "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done",
    ]);
    await terminal.prints("ready");
    terminal.type("\x03");
    await terminal.prints("caught");
    assert.equal(await terminal.exited, 9);
  });

  it("Ctrl-P Ctrl-Q detaches and leaves the container running, attach takes it up again", async () => {
    terminal = new Terminal(shared, ["run", "-it", "--name", name, "busybox", "sh"]);
    await terminal.prints("# ");
    terminal.type("\x10\x11");
    assert.equal(await terminal.exited, 0);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");

    const again = new Terminal(shared, ["attach", name]);
    try {
      again.type("echo back-$((20+3))\r");
      await again.prints("back-23");
      again.type("exit 4\r");
      assert.equal(await again.exited, 4);
    } finally {
      again.close();
    }
  });

  it("other detach keys can be chosen", async () => {
    terminal = new Terminal(shared, ["run", "-it", "--detach-keys", "ctrl-a,x", "--name", name, "busybox", "sh"]);
    await terminal.prints("# ");
    terminal.type("\x01x");
    assert.equal(await terminal.exited, 0);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Status}}", name]), "running");
  });

  it("exec -it has a terminal of its own, with exit code and detach keys", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "300"]);
    terminal = new Terminal(shared, ["exec", "-it", "-e", "WHO=me", name, "sh"], { columns: 100, rows: 30 });
    await terminal.prints("# ");
    terminal.type("stty size; echo $WHO-$TERM; tty\r");
    await terminal.prints("30 100");
    await terminal.prints("me-xterm");
    await terminal.prints("/dev/pts/");
    terminal.type("exit 6\r");
    assert.equal(await terminal.exited, 6);
    terminal.close();

    terminal = new Terminal(shared, ["exec", "-it", name, "sh"]);
    await terminal.prints("# ");
    terminal.type("\x10\x11");
    assert.notEqual(await terminal.exited, null);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");
  });

  it("sessions outlive the engine: run, attach and exec go on while it is away and when it is back", async () => {
    const sessions: Terminal[] = [];
    const open = async (...args: string[]): Promise<Terminal> => {
      const session = new Terminal(shared, args);
      sessions.push(session);
      session.type("echo here-$((40+1))\r");
      await session.prints("here-41");
      return session;
    };
    const all = (text: string, printed: string): Promise<unknown> =>
      Promise.all(
        sessions.map(async (session) => {
          session.type(text);
          await session.prints(printed);
        }),
      );
    try {
      await shared.ok(["run", "-dit", "--name", name, "busybox", "sh"]);
      await open("exec", "-it", name, "sh");
      await open("attach", name);
      await open("run", "-it", "--name", other, "busybox", "sh");
      await shared.engine.kill();
      await all("echo away-$((40+2))\r", "away-42");
      await shared.engine.start();
      await all("echo back-$((40+3))\r", "back-43");
      await all("exit 7\r", "exit 7");
      for (const session of sessions) await session.exited;
      for (const each of [name, other]) assert.equal(await shared.ok(["wait", each]), "7");
    } finally {
      for (const session of sessions) session.close();
    }
  });
});
