import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { type Receiver, collector, delimited, forwarded, gelfDatagrams } from "./receivers.ts";

const name = "e2e-log-driver";

/** Runs a container with a log driver's options, and gives its id. */
async function run(
  driver: string,
  options: Record<string, string>,
  script: string,
  ...more: string[]
): Promise<string> {
  const given = Object.entries(options).flatMap(([key, value]) => ["--log-opt", `${key}=${value}`]);
  return shared.ok([
    "run",
    "-d",
    "--name",
    name,
    "--log-driver",
    driver,
    ...given,
    ...more,
    "busybox",
    "sh",
    "-c",
    script,
  ]);
}

describe("log drivers that send to servers", () => {
  const open: { close(): Promise<void> }[] = [];
  const opened = async <T>(receiver: Promise<Receiver<T>>): Promise<Receiver<T>> => {
    open.push(await receiver);
    return receiver;
  };
  afterEach(async () => {
    await shared.docker(["rm", "-f", name]);
    for (const receiver of open.splice(0)) await receiver.close().catch(() => undefined);
  });

  it("syslog: lines with facility, severity and tag, bytes as they are; docker logs shows them, too", async () => {
    const server = await opened(delimited(10));
    const options = {
      "syslog-address": `tcp://127.0.0.1:${server.port}`,
      "syslog-facility": "local3",
      tag: "{{.Name}}/x",
    };
    await run("syslog", { ...options, "syslog-format": "rfc5424micro" }, "echo out; echo; echo err >&2; echo äö");
    await until("all has come", () => server.received.length >= 3);
    const stamp = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)`;
    const shapes = [
      ["158", "out"],
      ["155", "err"],
      ["158", "äö"],
    ].map(
      ([priority, text]) => new RegExp(String.raw`^<${priority}>1 ${stamp} \S+ ${name}/x \d+ ${name}/x - ${text}$`),
    );
    // Streams apart keep no order.
    for (const shape of shapes)
      assert.ok(
        server.received.some((line) => shape.test(line)),
        `${shape}: ${server.received.join("\n")}`,
      );
    assert.equal(server.received.length, 3);
    assert.equal((await shared.ok(["logs", name])).split("\n").filter((line) => line === "out").length, 1);
  });

  it("syslog: nothing is lost while the server is away", async () => {
    const first = await opened(delimited(10));
    const options = { "syslog-address": `tcp://127.0.0.1:${first.port}` };
    await run("syslog", options, "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.01; done");
    await until("some have come", () => first.received.length > 20);
    await first.close();
    await shared.ok(["wait", name]);
    const second = await opened(delimited(10, first.port));
    const numbers = (lines: readonly string[]): number[] => lines.map((line) => Number(/line (\d+)$/.exec(line)?.[1]));
    await until("the rest has come", () => numbers(second.received).includes(400), 60_000);
    const all = new Set([...numbers(first.received), ...numbers(second.received)]);
    assert.deepEqual(
      [...all].sort((a, b) => a - b),
      Array.from({ length: 400 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      numbers(second.received),
      [...numbers(second.received)].sort((a, b) => a - b),
    );
  });

  it("gelf: messages with the container's facts, over UDP and TCP", async () => {
    const datagrams = await opened(gelfDatagrams());
    const id = await run(
      "gelf",
      { "gelf-address": `udp://127.0.0.1:${datagrams.port}`, labels: "team", env: "A" },
      "echo hello; sleep 100",
      ...["--label", "team=x", "-e", "A=b"],
    );
    await until("it has come", () => datagrams.received.length > 0);
    const message = JSON.parse(datagrams.received[0] ?? "") as Record<string, unknown>;
    assert.deepEqual(
      [
        "version",
        "short_message",
        "level",
        "_container_id",
        "_container_name",
        "_image_name",
        "_tag",
        "_team",
        "_A",
      ].map((key) => message[key]),
      ["1.1", "hello", 6, id, name, "busybox", id.slice(0, 12), "x", "b"],
    );
    assert.ok(Math.abs(Number(message["timestamp"]) - Date.now() / 1000) < 120);
    await shared.ok(["rm", "-f", name]);
    const stream = await opened(delimited(0));
    await run("gelf", { "gelf-address": `tcp://127.0.0.1:${stream.port}` }, "echo a; echo b >&2");
    await until("both have come", () => stream.received.length === 2);
    const levels = stream.received
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .map((each) => [each["short_message"], each["level"]]);
    assert.deepEqual(
      new Map(levels as [string, number][]),
      new Map([
        ["a", 6],
        ["b", 3],
      ]),
    );
  });

  it("fluentd: records with their pieces", async () => {
    const server = await opened(forwarded());
    const options = { "fluentd-address": `127.0.0.1:${server.port}`, tag: "t.{{.ImageName}}" };
    const id = await run("fluentd", options, "echo one; head -c 17000 /dev/zero | tr '\\0' x; echo");
    await until("all has come", () => server.received.length === 3);
    const [one, first, last] = server.received;
    assert.deepEqual(
      [one?.[0], one?.[2]],
      ["t.busybox", { container_id: id, container_name: `/${name}`, source: "stdout", log: "one" }],
    );
    assert.deepEqual(
      [first, last].map((each) => [each?.[2]["log"]?.length, each?.[2]["partial_ordinal"], each?.[2]["partial_last"]]),
      [
        [16_384, "1", "false"],
        [616, "2", "true"],
      ],
    );
  });

  it("splunk: events behind a token, after a look whether the collector is there", async () => {
    const server = await opened(collector());
    const options = {
      "splunk-url": `http://127.0.0.1:${server.port}`,
      "splunk-token": "secret",
      "splunk-format": "json",
      "splunk-index": "i",
      tag: "t",
    };
    await run("splunk", options, `echo '{"a":1}'; echo plain`);
    const events = (): Record<string, unknown>[] =>
      server.received
        .flatMap(({ body }) => body.split(/(?<=\})(?=\{"event")/).filter(Boolean))
        .map((text) => JSON.parse(text) as Record<string, unknown>);
    await until("both have come", () => events().length === 2);
    assert.equal(server.received[0]?.method, "OPTIONS");
    assert.equal(server.received[1]?.authorization, "Splunk secret");
    assert.deepEqual(
      events().map(({ event, index }) => [event, index]),
      [
        [{ line: { a: 1 }, source: "stdout", tag: "t" }, "i"],
        [{ line: "plain", source: "stdout", tag: "t" }, "i"],
      ],
    );
  });

  it("are listed by docker info", async () => {
    const listed = JSON.parse(await shared.ok(["info", "-f", "{{json .Plugins.Log}}"])) as string[];
    for (const driver of ["awslogs", "fluentd", "gelf", "journald", "json-file", "local", "splunk", "syslog"])
      assert.ok(listed.includes(driver), listed.join());
  });

  it("a container does not start when its server cannot be reached, and leaves nothing", async () => {
    const refused = await shared.docker([
      "run",
      "--name",
      name,
      "--log-driver",
      "syslog",
      "--log-opt",
      "syslog-address=tcp://127.0.0.1:1",
      "busybox",
      "true",
    ]);
    assert.match(
      refused.stderr,
      /failed to create task for container: failed to initialize logging driver: dial tcp 127\.0\.0\.1:1: connect: connection refused/,
    );
    assert.equal(refused.code, 125);
    assert.equal(await shared.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name]), "created 128");
    const anyway = await shared.docker([
      "run",
      "--rm",
      "--log-driver",
      "fluentd",
      "--log-opt",
      "fluentd-address=127.0.0.1:1",
      "--log-opt",
      "fluentd-async=true",
      "busybox",
      "echo",
      "x",
    ]);
    assert.deepEqual([anyway.code, anyway.stdout], [0, "x\n"]);
  });
});
