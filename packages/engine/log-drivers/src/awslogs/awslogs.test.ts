import assert from "node:assert/strict";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { LogInfo, LogMessage } from "@longshore/logging";
import type { DriverContext } from "../contract.ts";
import { awslogs } from "./awslogs.ts";
import { batches, eventsOf } from "./events.ts";

interface Call {
  operation: string;
  input: Record<string, unknown>;
}

const { signal } = new AbortController();
const message = (text: string, second: number): LogMessage => ({
  stream: "stdout",
  timeNano: BigInt(second) * 1_000_000_000n,
  line: Buffer.from(text),
});

describe("awslogs", () => {
  let server: Server;
  let endpoint = "";
  let calls: Call[] = [];
  let hasGroup = false;
  const environment = { ...process.env };

  /** CloudWatch Logs: takes what is signed for it, once there is a group. */
  before(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" });
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.once("end", () => {
        const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
        const signed = /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/nowhere\/logs\/aws4_request, /;
        assert.match(request.headers.authorization ?? "", signed);
        calls.push({ operation, input: JSON.parse(body) as Record<string, unknown> });
        hasGroup ||= operation === "CreateLogGroup";
        if (!hasGroup) response.statusCode = 400;
        response.end(hasGroup ? "{}" : JSON.stringify({ __type: "x#ResourceNotFoundException", message: "no group" }));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    calls = [];
    hasGroup = false;
  });
  after(() => {
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) {
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    }
    server.close();
    server.closeAllConnections();
  });

  const context = (more: Record<string, string>): DriverContext => ({
    info: { ContainerID: "full" } as LogInfo,
    options: { "awslogs-group": "g", "awslogs-region": "nowhere", "awslogs-endpoint": endpoint, ...more },
    tag: "t",
    attributes: {},
    hostname: "h",
  });
  const events = (): unknown[] =>
    calls.filter(({ operation }) => operation === "PutLogEvents").flatMap(({ input }) => input["logEvents"]);

  it("makes group and stream where it may, and puts events", async () => {
    await assert.rejects(awslogs.open(context({}), signal), {
      message:
        "failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: 400, ResourceNotFoundException: no group",
    });
    calls = [];
    const target = await awslogs.open(context({ "awslogs-create-group": "true", tag: "t" }), signal);
    await target.send([message("one", 2), message("", 2), message("zero", 1)], signal);
    target.close();
    assert.deepEqual(
      calls.map(({ operation }) => operation),
      ["CreateLogStream", "CreateLogGroup", "CreateLogStream", "PutLogEvents"],
    );
    assert.equal(calls[0]?.input["logStreamName"], "t");
    assert.deepEqual(events(), [
      { message: "zero", timestamp: 1000 },
      { message: "one", timestamp: 2000 },
    ]);
  });

  it("gathers lines until the next event begins, and holds the last", async () => {
    hasGroup = true;
    const target = await awslogs.open(context({ "awslogs-datetime-format": "%Y-%m-%d" }), signal);
    await target.send([message("2026-01-01 a", 1), message("  b", 2), message("2026-01-02 c", 3)], signal);
    assert.equal(target.held, 1);
    assert.deepEqual(events(), [{ message: "2026-01-01 a\n  b\n", timestamp: 1000 }]);
    await target.flush?.(signal);
    assert.equal(target.held, 0);
    assert.deepEqual(events().at(-1), { message: "2026-01-02 c\n", timestamp: 3000 });
    target.close();
  });

  it("keeps within the service's bounds, and splits no character", () => {
    const text = "ä".repeat(200_000);
    const split = eventsOf(text, 0).map(({ message: each }) => each);
    assert.equal(split.join(""), text);
    assert.deepEqual(
      split.map((each) => Buffer.byteLength(each)),
      [262_118, 137_882],
    );
    const many = Array.from({ length: 10_001 }, () => ({ message: "x", timestamp: 0 }));
    assert.deepEqual(
      batches(many).map(({ length }) => length),
      [10_000, 1],
    );
    const big = Array.from({ length: 5 }, () => ({ message: "x".repeat(262_118), timestamp: 0 }));
    assert.deepEqual(
      batches(big).map(({ length }) => length),
      [4, 1],
    );
  });

  const refused: [options: Record<string, string>, message: string][] = [
    [{}, "must specify a value for log opt 'awslogs-group'"],
    [
      { "awslogs-group": "g", "awslogs-create-group": "x" },
      "must specify valid value for log opt 'awslogs-create-group': strconv.ParseBool: parsing \"x\": invalid syntax",
    ],
    [
      { "awslogs-group": "g", "awslogs-max-buffered-events": "0" },
      "must specify a positive integer for log opt 'awslogs-max-buffered-events': 0",
    ],
    [
      { "awslogs-group": "g", "awslogs-datetime-format": "x", "awslogs-multiline-pattern": "x" },
      "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time",
    ],
    [{ "awslogs-group": "g", "awslogs-format": "x" }, "unsupported log format 'x'"],
  ];
  for (const [options, text] of refused)
    it(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => awslogs.validate(options), { message: text }));
});
