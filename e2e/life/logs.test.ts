import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { unframed } from "../engine/attached.ts";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { begin, containersOfTest, roundsOr } from "./testing/containers.ts";

const { api } = shared;
const rounds = roundsOr(12);

const followed = (id: string, tail = "all"): Promise<IncomingMessage> => {
  const { call, answer } = begin("GET", `/containers/${id}/logs?stdout=1&stderr=1&follow=1&tail=${tail}`);
  call.end();
  return answer;
};

/** All that comes of an answer. */
async function whole(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe("logs that nothing is lost of", () => {
  const create = containersOfTest();

  const drivers: [string, Record<string, string>][] = [
    ["json-file", { "max-size": "20k" }],
    ["json-file", { "max-size": "1k", "max-file": "1" }],
    ["json-file", { "max-size": "10k", "max-file": "2" }],
    ["json-file", { "max-size": "20k", "max-file": "3", compress: "true" }],
    ["local", { "max-size": "20k" }],
    ["local", { "max-size": "10k", "max-file": "1", compress: "false" }],
    ["local", { "max-size": "20k", "max-file": "2" }],
  ];

  for (const [Type, Config] of drivers) {
    it(`a follower sees every line across rotations, ${Type} with ${JSON.stringify(Config)}`, async () => {
      const lines = 3000;
      const round = async (): Promise<void> => {
        const id = await create({
          Cmd: ["sh", "-c", `read go; i=0; while [ $i -lt ${lines} ]; do echo line $i; i=$((i+1)); done`],
          OpenStdin: true,
          HostConfig: { NetworkMode: "none", LogConfig: { Type, Config } },
        });
        const { socket } = await api.attach(id, "stream=1&stdin=1");
        await api.call("POST", `/containers/${id}/start`);
        const response = await followed(id);
        socket.write("go\n");
        const text = unframed(await whole(response)).toString();
        socket.destroy();
        assert.equal(text.split("\n").length - 1, lines);
        for (const [i, line] of text.split("\n").slice(0, -1).entries()) assert.equal(line, `line ${i}`);
        await api.call("DELETE", `/containers/${id}?force=1`);
      };
      for (let done = 0; done < Math.ceil(rounds / drivers.length); done += 2) await Promise.all([round(), round()]);
    });
  }

  it("attach shows the log and goes on where it ends, of a container that is started at once", async () => {
    const text = Array.from({ length: 40 }, (_, i) => `out ${i}\n`).join("");
    const round = async (): Promise<void> => {
      const id = await create({
        Cmd: ["sh", "-c", "i=0; while [ $i -lt 40 ]; do echo out $i; i=$((i+1)); done"],
        HostConfig: { NetworkMode: "none" },
      });
      const attached = await api.attach(id, "logs=1&stream=1&stdout=1&stderr=1");
      await api.call("POST", `/containers/${id}/start`);
      await attached.ended;
      assert.equal(attached.output, text);
      await api.call("DELETE", `/containers/${id}?force=1`);
    };
    for (let done = 0; done < rounds; done += 4) await Promise.all([round(), round(), round(), round()]);
  });

  it("attach shows the log and goes on where it ends, while the container prints", async () => {
    const lines = 2000;
    const id = await create({
      Cmd: [
        "sh",
        "-c",
        `read go; printf begun; read go; i=0; while [ $i -lt ${lines} ]; do echo " line $i"; i=$((i+1)); done; read go`,
      ],
      OpenStdin: true,
      HostConfig: { NetworkMode: "none" },
    });
    const first = await api.attach(id, "stream=1&stdin=1&stdout=1");
    await api.call("POST", `/containers/${id}/start`);
    first.socket.write("go\n");
    while (!first.output.includes("begun")) await once(first.socket, "data");
    // What is printed and no line yet is in no log.
    const early = [
      await api.attach(id, "logs=1&stream=1&stdout=1"),
      await api.attach(id, "logs=1&stream=1&stdout=1&stdin=1&detachKeys=ctrl-p"),
    ];
    first.socket.write("go\n");
    const late: typeof early = [];
    while (late.length < 12) {
      late.push(
        await api.attach(id, `logs=1&stream=1&stdout=1${late.length % 2 === 0 ? "" : "&stdin=1&detachKeys=ctrl-p"}`),
      );
      const before = first.raw.length;
      await until("more is printed", () => first.raw.length > before || first.output.endsWith(` ${lines - 1}\n`));
    }
    // It ends only now: who attaches to a container that has ended waits for its next start.
    first.socket.write("go\n");
    await Promise.all([first, ...early, ...late].map(({ ended }) => ended));
    const expected = `begun${Array.from({ length: lines }, (_, i) => ` line ${i}\n`).join("")}`;
    for (const [i, attached] of [first, ...early, ...late].entries())
      assert.ok(
        attached.output === expected,
        `client ${i} got ${attached.output.length} of ${expected.length} characters`,
      );
  });

  it("a client that does not read an attach's log costs the engine no memory", async () => {
    const id = await create({
      Cmd: [
        "sh",
        "-c",
        "yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 40000000",
      ],
      HostConfig: { NetworkMode: "none" },
    });
    await api.call("POST", `/containers/${id}/start`);
    assert.equal(await api.wait(id), 0);
    const resident = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shared.engine.pid}/status`, "utf8"))?.[1]) / 1024;
    const before = resident();
    const idle = await api.attach(id, "logs=1&stdout=1", { idle: true });
    const reading = await api.attach(id, "logs=1&stdout=1");
    await reading.ended;
    // Whoever reads has had all; the other one would have had it as well.
    assert.equal(unframed(reading.raw).length, 40_000_000);
    assert.ok(resident() - before < 30, `${resident() - before} MiB more`);
    idle.read();
    await idle.ended;
    assert.equal(unframed(idle.raw).length, 40_000_000);
  });

  it("the local driver keeps bytes that are no UTF-8", async () => {
    const script = "printf '\\377\\376\\n\\303\\n\\360\\237\\n a\\200b \\303\\251 \\360\\237\\222\\200\\n'";
    const expected = Buffer.from("\xff\xfe\n\xc3\n\xf0\x9f\n a\x80b \xc3\xa9 \xf0\x9f\x92\x80\n", "latin1");
    for (const Type of ["local", "json-file"]) {
      const id = await create({
        Cmd: ["sh", "-c", script],
        HostConfig: { NetworkMode: "none", LogConfig: { Type, Config: {} } },
      });
      await api.call("POST", `/containers/${id}/start`);
      await api.wait(id);
      const logs = async (more: string): Promise<Buffer> =>
        unframed(await api.call("GET", `/containers/${id}/logs?stdout=1${more}`));
      for (const more of ["", "&since=1"])
        assert.deepEqual(
          await logs(more),
          Type === "local"
            ? expected
            : Buffer.from(expected.toString("utf8").replace(/\n\ufffd\n a/, "\n\ufffd\ufffd\n a")),
        );
    }
  });

  it("tail takes what Go reads as a number", async () => {
    const id = await create({ Cmd: ["sh", "-c", "echo 1; echo 2; echo 3"], HostConfig: { NetworkMode: "none" } });
    await api.call("POST", `/containers/${id}/start`);
    await api.wait(id);
    for (const [tail, count] of [
      ["%2B1", 1],
      ["2", 2],
      ["%2B0", 0],
      ["-1", 3],
      ["x", 3],
      ["1x", 3],
      ["", 3],
      ["99999999999999999999", 3],
    ] as const) {
      const text = unframed(await api.call("GET", `/containers/${id}/logs?stdout=1&tail=${tail}`)).toString();
      assert.equal(text.split("\n").length - 1, count, tail);
    }
  });
});
