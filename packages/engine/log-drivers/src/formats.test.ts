import assert from "node:assert/strict";
import { Socket } from "node:net";
import type { LogInfo } from "@longshore/logging";
import { encode } from "@msgpack/msgpack";
import type { DriverContext } from "./contract.ts";
import { serverDriver } from "./drivers.ts";
import { Acks } from "./fluentd/acks.ts";
import { journalEntries } from "./journald/journald.ts";
import { formats } from "./syslog/format.ts";

describe("what log servers get", () => {
  // In the machine's time zone, wherever that is.
  const at = new Date(2026, 0, 2, 3, 4, 5);
  const record = {
    priority: 30,
    timeNano: BigInt(at.getTime()) * 1_000_000n + 1_234_567n,
    hostname: "h",
    tag: "t",
    pid: 7,
  };
  const zone = String.raw`(?:Z|[+-]\d\d:\d\d)`;
  const shapes: Record<string, RegExp> = {
    "": /^<30>Jan {2}2 03:04:05 t\[7\]: $/,
    rfc3164: /^<30>Jan {2}2 03:04:05 h t\[7\]: $/,
    rfc5424: new RegExp(`^<30>1 2026-01-02T03:04:05${zone} h t 7 t - $`),
    rfc5424micro: new RegExp(String.raw`^<30>1 2026-01-02T03:04:05\.001234${zone} h t 7 t - $`),
  };
  for (const [format, shape] of Object.entries(shapes)) {
    it(`syslog-format ${format || "(none)"}`, () => assert.match(formats[format]?.(record) ?? "", shape));
  }

  const context: DriverContext = {
    info: { ContainerID: "0123456789abcdef", ContainerName: "/n", ContainerImageName: "i" } as LogInfo,
    options: {},
    tag: "t",
    attributes: { "_a.b": "c" },
    hostname: "h",
  };

  it("the journal's fields: names that it takes, texts with newlines behind their length", () => {
    const [entry = Buffer.alloc(0)] = journalEntries(context)({
      stream: "stderr",
      timeNano: 1_767_225_600_000_000_001n,
      line: Buffer.from("a\nb"),
      partial: { id: "p", ordinal: 1, last: false },
    });
    const text = entry.toString("latin1");
    for (const line of [
      ...[
        "CONTAINER_ID=0123456789ab",
        "CONTAINER_NAME=n",
        "SYSLOG_IDENTIFIER=t",
        "IMAGE_NAME=i",
        "A_B=c",
        "PRIORITY=3",
      ],
      ...[
        "SYSLOG_TIMESTAMP=2026-01-01T00:00:00.000000001Z",
        "CONTAINER_LOG_ORDINAL=1",
        "CONTAINER_PARTIAL_MESSAGE=true",
      ],
      "MESSAGE\n\x03\0\0\0\0\0\0\0a\nb",
    ])
      assert.ok(text.includes(`${line}\n`), line);
  });

  it("acknowledgements in any pieces; anything else is an error", async () => {
    const socket = new Socket();
    const acks = new Acks(socket);
    const { signal } = new AbortController();
    const said = Buffer.from(encode({ ack: "chunk" }));
    socket.emit("data", said.subarray(0, 3));
    const next = acks.next(signal);
    socket.emit("data", said.subarray(3));
    assert.equal(await next, "chunk");
    socket.emit("data", Buffer.from(encode({ nack: 1 })));
    await assert.rejects(acks.next(signal), /has not acknowledged/);
    const waiting = acks.next(signal);
    socket.emit("close");
    await assert.rejects(waiting, /has not acknowledged/);
  });

  const refused: [driver: string, options: Record<string, string>, message: string][] = [
    ["gelf", {}, "gelf-address is a required parameter"],
    ["gelf", { "gelf-address": "udp://a" }, "gelf: please provide gelf-address as proto://host:port"],
    ["gelf", { "gelf-address": "tcp://a:1", "gelf-compression-type": "gzip" }, "compression is only supported on UDP"],
    [
      "gelf",
      { "gelf-address": "udp://a:1", "gelf-compression-level": "10" },
      'unknown value "10" for log opt "gelf-compression-level" for gelf log driver',
    ],
    ["syslog", { "syslog-facility": "24" }, "invalid syslog facility"],
    ["syslog", { "syslog-format": "constructor" }, "Invalid syslog format"],
    ["syslog", { "syslog-address": "unix:///nosuch" }, "stat /nosuch: no such file or directory"],
    ["fluentd", { "fluentd-address": "unix:///" }, "invalid fluentd-address (unix:///): path is empty"],
    ["fluentd", { "fluentd-max-retries": "4294967295" }, "invalid fluentd-max-retries: value out of range"],
  ];
  for (const [driver, options, message] of refused) {
    it(`${driver} ${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => serverDriver(driver)?.validate(options), { message }));
  }
});
