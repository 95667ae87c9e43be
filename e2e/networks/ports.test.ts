import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { freePort } from "../host/port.ts";
import { until } from "../host/until.ts";

const server = ["busybox", "sh", "-c", "while :; do echo answered | nc -l -p 80; done"];

type Bindings = Record<string, { HostIp?: string; HostPort?: string }[]>;
interface Answer {
  status: number;
  body: { message?: string; PortBindings?: Bindings; Ports?: Bindings };
}

/** The endpoint for a container's published ports. */
async function ports(name: string, bindings?: unknown, prefix = ""): Promise<Answer> {
  const call = request({
    socketPath: join(shared.dir, "docker.sock"),
    method: bindings === undefined ? "GET" : "PUT",
    path: `${prefix}/longshore/v1/containers/${name}/ports`,
    headers: { "Content-Type": "application/json" },
    agent: false,
  });
  call.end(bindings === undefined ? "" : JSON.stringify({ PortBindings: bindings }));
  const [response] = (await once(call, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Answer["body"] };
}

async function answers(port: number, host = "127.0.0.1"): Promise<boolean> {
  let text = "";
  try {
    for await (const chunk of connect({ host, port, timeout: 1000 })) text += String(chunk);
  } catch {
    return false;
  }
  return text === "answered\n";
}

async function refused(port: number, host = "127.0.0.1"): Promise<void> {
  const socket = connect({ host, port });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
}

describe("published ports", () => {
  const name = "e2e-ports";
  afterEach(() => shared.docker(["rm", "-f", name, `${name}-2`]));

  it("of a running container are changed as a whole, and stay so", async () => {
    const [first, second, third] = [await freePort(), await freePort(), await freePort()];
    await shared.ok(["run", "-d", "--name", name, "-p", `127.0.0.1:${first}:80`, "-p", "127.0.0.1::81", ...server]);
    const any = (await ports(name)).body.Ports?.["81/tcp"]?.[0]?.HostPort ?? "";
    const since = new Date().toISOString();
    const binding = (HostPort: string): { HostIp: string; HostPort: string }[] => [{ HostIp: "127.0.0.1", HostPort }];
    const wanted = { "80/tcp": binding(String(second)), "81/tcp": binding(""), "82/udp": binding(String(third)) };
    const { status, body } = await ports(name, wanted, "/v1.51");
    assert.equal(status, 200, body.message ?? "");
    assert.deepEqual(body.PortBindings, wanted);
    const published = { "80/tcp": binding(String(second)), "81/tcp": binding(any), "82/udp": binding(String(third)) };
    assert.deepEqual(body.Ports, published);
    await until("the new port answers", () => answers(second));
    await refused(first);
    assert.equal(await shared.ok(["port", name, "80"]), `127.0.0.1:${second}`);
    assert.match(
      await shared.ok(["ps", "--filter", `name=^${name}$`, "--format", "{{.Ports}}"]),
      new RegExp(`127\\.0\\.0\\.1:${second}->80/tcp.*127\\.0\\.0\\.1:${third}->82/udp`),
    );
    assert.match(
      await shared.ok([
        "events",
        "--since",
        since,
        "--until",
        new Date().toISOString(),
        "--filter",
        `container=${name}`,
      ]),
      / container update /,
    );
    // A killed engine finds them again, a restarted container publishes them again.
    await shared.engine.kill();
    await shared.engine.start();
    assert.deepEqual((await ports(name)).body.Ports, published);
    await until("it answers after the engine's death", () => answers(second));
    await shared.ok(["restart", "-t", "0", name]);
    assert.equal(await shared.ok(["port", name, "80"]), `127.0.0.1:${second}`);
    await until("it answers after a restart", () => answers(second));
  });

  it("are all changed or none, with the words of a start", async () => {
    const [first, second] = [await freePort(), await freePort()];
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port: taken } = busy.address() as { port: number };
    try {
      await shared.ok(["run", "-d", "--name", name, "-p", `127.0.0.1:${first}:80`, ...server]);
      await shared.ok(["run", "-d", "--name", `${name}-2`, "-p", `127.0.0.1:${second}:80`, ...server]);
      const before = (await ports(name)).body;
      for (const [port, words] of [
        [
          taken,
          new RegExp(
            `^driver failed programming external connectivity on endpoint ${name} \\([0-9a-f]{64}\\): failed to bind host port for 127\\.0\\.0\\.1:${taken}:[0-9.]+:81/tcp: address already in use$`,
          ),
        ],
        [second, new RegExp(`: Bind for 127\\.0\\.0\\.1:${second} failed: port is already allocated$`)],
      ] as const) {
        // The first of them moves to another port of the container, and has to come back.
        const { status, body } = await ports(name, {
          "82/tcp": [{ HostIp: "127.0.0.1", HostPort: String(first) }],
          "81/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }],
        });
        assert.equal(status, 500);
        assert.match(body.message ?? "", words);
        assert.deepEqual((await ports(name)).body, before);
        await until("the old port answers", () => answers(first));
      }
    } finally {
      busy.close();
    }
    assert.deepEqual(await ports(`${name}-0`, {}), { status: 404, body: { message: `No such container: ${name}-0` } });
    assert.deepEqual(await ports(name, { "80/tcp": [{ HostPort: "99999" }] }), {
      status: 400,
      body: { message: 'invalid port specification: "99999"' },
    });
    // The other one's port is free at once when it closes it.
    assert.equal((await ports(`${name}-2`, {})).status, 200);
    await refused(second);
    assert.equal((await ports(name, { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(second) }] })).status, 200);
    await until("the port has moved", () => answers(second));
  });

  it("ranges, all exposed ones, addresses of both families, and free at once after a stop", async () => {
    const port = await freePort();
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "-P",
      "--expose",
      "81",
      "-p",
      `[::1]:${port}:80`,
      "-p",
      `127.0.0.2:${port}:80`,
      "-p",
      `127.0.0.3:${port}-${port + 2}:82`,
      ...server,
    ]);
    const shown = (await shared.ok(["port", name])).split("\n");
    for (const line of [`80/tcp -> [::1]:${port}`, `80/tcp -> 127.0.0.2:${port}`, `82/tcp -> 127.0.0.3:${port}`])
      assert.ok(shown.includes(line), shown.join("; "));
    assert.ok(
      shown.some((line) => /^81\/tcp -> 0\.0\.0\.0:\d+$/.test(line)),
      shown.join("; "),
    );
    await until("it answers on ::1", () => answers(port, "::1"));
    await until("it answers on 127.0.0.2", () => answers(port, "127.0.0.2"));
    await refused(port, "127.0.0.1");
    await shared.ok(["stop", "-t", "0", name]);
    await shared.ok(["run", "-d", "--name", `${name}-2`, "-p", `127.0.0.2:${port}:80`, ...server]);
    await until("the next one answers", () => answers(port, "127.0.0.2"));
    const clash = await shared.docker(["start", name]);
    assert.match(clash.stderr, new RegExp(`Bind for 127\\.0\\.0\\.2:${port} failed: port is already allocated`));
  });
});
