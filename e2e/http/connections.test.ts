import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { afterHead, RawConnection, request, streams } from "./raw.ts";

const upgrades = { none: [], alone: ["Upgrade: tcp"], both: ["Connection: Upgrade", "Upgrade: tcp"] };

describe("connections that raw clients make", () => {
  const name = "e2e-raw";
  const cat = "e2e-raw-cat";
  before(async () => {
    await Promise.all([
      shared.ok(["run", "-d", "--name", name, "-e", "X=y", "--expose", "80/tcp", "busybox", "sleep", "1000"]),
      shared.ok(["run", "-d", "-i", "--name", cat, "busybox", "cat"]),
    ]);
  });
  after(() => shared.docker(["rm", "-f", name, cat, "e2e-raw-linked"]));

  async function exec(container: string, options: object): Promise<string> {
    const text = await new RawConnection()
      .write(
        request("POST", `/containers/${container}/exec`, {
          body: JSON.stringify({ AttachStdout: true, AttachStderr: true, ...options }),
          headers: ["Connection: close"],
        }),
      )
      .rest();
    return (JSON.parse(afterHead(text)) as { Id: string }).Id;
  }

  // What would be a request, were it not input.
  const input = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\nhello\n";

  it("exec takes its input from the connection, with and without Upgrade, on all versions", async () => {
    await Promise.all(
      ["v1.24", "v1.41", "v1.51"].flatMap((version) =>
        Object.values(upgrades).map(async (headers) => {
          const id = await exec(name, { AttachStdin: true, Cmd: ["cat"] });
          const connection = new RawConnection().write(
            request("POST", `/${version}/exec/${id}/start`, { headers, body: "{}" }),
          );
          await connection.until((text) => text.includes("\r\n\r\n"));
          const text = await connection.write(input).halfClose().rest();
          assert.match(
            text,
            headers.length === 0
              ? /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/
              : /^HTTP\/1\.1 101 UPGRADED\r\n/,
          );
          assert.deepEqual(streams(afterHead(text)), { 1: input });
        }),
      ),
    );
  });

  it("attach does, too", async () => {
    const connection = new RawConnection().write(
      request("POST", `/v1.40/containers/${cat}/attach?stream=1&stdin=1&stdout=1&stderr=1`),
    );
    await connection.until((text) => text.includes("\r\n\r\n"));
    const text = await connection.write(input).until((so) => so.endsWith("hello\n"));
    assert.equal(text.split("\r\n\r\n", 1)[0], "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream");
    assert.deepEqual(streams(afterHead(text)), { 1: input });
    // The input of a container that keeps it open has no end.
    await Promise.all([connection.halfClose().rest(), shared.ok(["kill", cat])]);
  });

  it("exec has the terminal of create, framed as start says", async () => {
    const script = "echo out; echo err >&2; test -t 1 && stty size; exit 3";
    const expected: [tty: boolean, start: boolean, said: Record<number, string> | string][] = [
      [false, false, { 1: "out\n", 2: "err\n" }],
      [false, true, "out\n"],
      [true, false, { 1: "out\r\nerr\r\n11 22\r\n" }],
      [true, true, "out\r\nerr\r\n33 44\r\n"],
    ];
    await Promise.all(
      expected.map(async ([Tty, start, said]) => {
        const id = await exec(name, { Tty, ConsoleSize: [11, 22], Cmd: ["sh", "-c", script] });
        const text = afterHead(
          await new RawConnection()
            .write(
              request("POST", `/exec/${id}/start`, { body: JSON.stringify({ Tty: start, ConsoleSize: [33, 44] }) }),
            )
            .rest(),
        );
        assert.deepEqual(typeof said === "string" ? text : streams(text), said);
      }),
    );
  });

  it("exec knows the container's links", async () => {
    await shared.ok(["run", "-d", "--name", "e2e-raw-linked", "--link", `${name}:db`, "busybox", "sleep", "1000"]);
    const said = await shared.ok(["exec", "e2e-raw-linked", "env"]);
    assert.match(said, /^DB_PORT_80_TCP_PORT=80$/m);
    assert.match(said, /^DB_NAME=\/e2e-raw-linked\/db\nDB_ENV_X=y$/m);
  });

  it("a client that sends no more gets its answer", async () => {
    const id = await exec(name, { Cmd: ["true"] });
    const asked: [string, RegExp][] = [
      [request("GET", "/_ping"), /^HTTP\/1\.1 200 OK[\s\S]*OK$/],
      [request("GET", "/_ping", { version: "1.0" }), /^HTTP\/1\.[01] 200 OK[\s\S]*OK$/],
      [request("GET", "http://localhost/v1.51/containers/json?all=1"), /^HTTP\/1\.1 200 OK[\s\S]*"Image":"busybox"/],
      [request("GET", "/containers/json?all=1", { version: "1.0" }), /^HTTP\/1\.[01] 200 OK[\s\S]*\]\n$/],
      [request("GET", `/containers/${name}/logs?stdout=1`), /^HTTP\/1\.1 200 OK/],
      [request("GET", `/containers/${name}/stats?stream=0`), /^HTTP\/1\.1 200 OK[\s\S]*"cpu_stats"/],
      [request("GET", `/containers/${name}/top`), /^HTTP\/1\.1 200 OK[\s\S]*"Processes"/],
      [request("GET", "/events?since=1&until=2"), /^HTTP\/1\.1 200 OK/],
      [request("GET", "/networks/"), /^HTTP\/1\.1 200 OK[\s\S]*"Name":"bridge"/],
      [request("POST", `/exec/${id}/start`, { body: "{}" }), /^HTTP\/1\.1 200 OK/],
      [request("POST", `/containers/${name}/restart?t=0`), /^HTTP\/1\.1 204 /],
      [
        request("POST", `/containers/${name}/update`, { body: '{"Memory":99999999999999999999}' }),
        /^HTTP\/1\.1 400 [\s\S]*cannot unmarshal number 99999999999999999999 into Go struct field UpdateConfig\.Memory of type int64/,
      ],
      [request("GET", "/containers/json?all=%zz"), /^HTTP\/1\.1 400 [\s\S]*invalid URL escape \\"%zz\\"/],
      [
        request(
          "GET",
          `/containers/json?filters=${encodeURIComponent(JSON.stringify({ name: Array.from({ length: 1000 }, (_, index) => `name-${index}-of-some-length`) }))}`,
        ),
        /^HTTP\/1\.1 200 OK[\s\S]*\[\]\n/,
      ],
    ];
    await Promise.all(
      asked.map(async ([bytes, answer]) =>
        assert.match(await new RawConnection().write(bytes).halfClose().rest(), answer, bytes.slice(0, 100)),
      ),
    );
  });
});
