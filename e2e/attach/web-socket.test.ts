import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";

describe("attach over a web socket", () => {
  const name = "e2e-web-socket";
  const open: WebSocket[] = [];
  afterEach(async () => {
    for (const client of open.splice(0)) client.terminate();
    await shared.docker(["rm", "-f", name]);
  });

  interface Attached {
    client: WebSocket;
    /** All payloads so far; those of a message that is no binary one would be missing. */
    text: () => string;
    closed: Promise<unknown[]>;
  }

  async function attach(query: string): Promise<Attached> {
    const client = new WebSocket(
      `ws+unix:${shared.host.replace("unix://", "")}:/v1.51/containers/${name}/attach/ws?${query}`,
    );
    open.push(client);
    let text = "";
    client.on("message", (data, binary) => (text += binary ? (data as Buffer).toString() : ""));
    const closed = once(client, "close");
    closed.catch(() => undefined);
    await once(client, "open");
    return { client, text: () => text, closed };
  }

  const echo = [
    "sh",
    "-c",
    'while read line; do echo "out $line"; echo "err $line" >&2; [ "$line" = quit ] && exit 3; done',
  ];

  it("carries input and both outputs without frames, and closes with the container", async () => {
    await shared.ok(["run", "-d", "-i", "--name", name, "busybox", ...echo]);
    const all = await attach("stream=1&stdin=1&stdout=1&stderr=1");
    const errors = await attach("stream=1&stderr=1");
    // The connection is open before the container's output is led to it.
    await until(
      "both are attached",
      () => (all.client.send("?\n"), errors.text().includes("err ?\n") && all.text().includes("out ?\n")),
    );
    all.client.send("one\n");
    await until("both outputs come", () => all.text().includes("out one\n") && all.text().includes("err one\n"));
    errors.client.send("not read by it\n");
    all.client.send(Buffer.from("quit\n"));
    assert.equal((await all.closed)[0], 1000);
    assert.equal((await errors.closed)[0], 1000);
    const lines = (text: string): string[] => text.split("\n").filter((line) => !line.endsWith("?"));
    assert.deepEqual(lines(all.text()).sort(), ["", "err one", "err quit", "out one", "out quit"]);
    assert.deepEqual(lines(errors.text()), ["err one", "err quit", ""]);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", name]), "3");
  });

  it("gives what was logged, and waits for a container that is not started yet", async () => {
    await shared.ok(["create", "-i", "--name", name, "busybox", ...echo]);
    const early = await attach("stream=1&stdin=1&stdout=1");
    await shared.ok(["start", name]);
    early.client.send("first\n");
    await until("its output comes", () => early.text() === "out first\n");
    const logged = await attach("logs=1&stdout=1&stderr=1");
    assert.equal((await logged.closed)[0], 1000);
    assert.deepEqual(logged.text().split("\n").sort(), ["", "err first", "out first"]);
    early.client.send("quit\n");
    assert.equal((await early.closed)[0], 1000);
  });

  it("leaves the container its input when a client goes away", async () => {
    await shared.ok(["run", "-d", "-i", "--name", name, "busybox", ...echo]);
    const first = await attach("stream=1&stdin=1&stdout=1");
    first.client.send("one\n");
    await until("its output comes", () => first.text() === "out one\n");
    first.client.terminate();
    const second = await attach("stream=1&stdin=1&stdout=1");
    second.client.send("quit\n");
    assert.equal((await second.closed)[0], 1000);
    assert.equal(second.text(), "out quit\n");
  });

  it("detaches from a terminal by the keys", async () => {
    await shared.ok(["run", "-dit", "--name", name, "busybox", "cat"]);
    const { client, text, closed } = await attach("stream=1&stdin=1&stdout=1");
    client.send("typed\n");
    await until("the terminal echoes and cat answers", () => text() === "typed\r\ntyped\r\n");
    client.send(Buffer.from([0x10, 0x11]));
    assert.equal((await closed)[0], 1000);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");
  });

  it("refuses in plain HTTP what cannot be attached to", async () => {
    await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "100"]);
    await shared.ok(["pause", name]);
    await assert.rejects(attach("stream=1&stdout=1"), /Unexpected server response: 409/);
    await shared.ok(["unpause", name]);
    await assert.rejects(attach("stream=1&stdout=1&detachKeys=a,,"), /Unexpected server response: 400/);
    await shared.ok(["rm", "-f", name]);
    await assert.rejects(attach("stream=1&stdout=1"), /Unexpected server response: 404/);
  });
});
