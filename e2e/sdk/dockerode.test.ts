import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { shared } from "../engine/shared.ts";

describe("dockerode", () => {
  const name = "e2e-dockerode";
  let docker: Docker;
  before(() => (docker = new Docker({ socketPath: shared.host.replace("unix://", "") })));
  afterEach(() => shared.docker(["rm", "-f", "-v", name]));

  it("runs a container with attached streams and waits for it", async () => {
    const container = await docker.createContainer({
      name,
      Image: "busybox",
      Cmd: ["sh", "-c", "read x; echo got $x; echo wrong >&2; exit 4"],
      OpenStdin: true,
      StdinOnce: true,
    });
    const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    container.modem.demuxStream(stream, stdout, stderr);
    stream.on("end", () => [stdout, stderr].forEach((each) => each.end()));
    await container.start();
    stream.write("input\n");
    stream.end();
    assert.deepEqual(await Promise.all([text(stdout), text(stderr)]), ["got input\n", "wrong\n"]);
    assert.equal(((await container.wait()) as { StatusCode: number }).StatusCode, 4);
  });

  it("executes, inspects the exec, and reads logs and stats", async () => {
    const container = await docker.createContainer({
      name,
      Image: "busybox",
      Cmd: ["sh", "-c", "echo started; sleep 300"],
    });
    await container.start();
    const exec = await container.exec({ Cmd: ["sh", "-c", "echo inside; exit 3"], AttachStdout: true });
    const stream = await exec.start({});
    const stdout = new PassThrough();
    container.modem.demuxStream(stream, stdout, new PassThrough());
    stream.on("end", () => stdout.end());
    assert.equal(await text(stdout), "inside\n");
    const { ExitCode, Running } = await exec.inspect();
    assert.deepEqual([ExitCode, Running], [3, false]);
    assert.match((await container.logs({ stdout: true })).toString(), /started\n$/);
    const stats = await container.stats({ stream: false });
    assert.equal(stats.name, `/${name}`);
    assert.ok((stats.pids_stats?.current ?? 0) >= 1);
  });

  it("gets an error with status and message", async () => {
    await assert.rejects(
      docker.getContainer("no-such").inspect(),
      (error: Error & { statusCode?: number; json?: { message: string } }) => {
        assert.equal(error.statusCode, 404);
        assert.equal(error.json?.message, "No such container: no-such");
        return true;
      },
    );
  });

  it("puts and gets archives, and lists with filters", async () => {
    const container = await docker.createContainer({ name, Image: "busybox", Labels: { "e2e.sdk": "dockerode" } });
    const archive = await container.getArchive({ path: "/etc/passwd" });
    await container.putArchive(archive, { path: "/tmp" });
    const copied = await container.getArchive({ path: "/tmp/passwd" });
    assert.match(await text(copied), /root:x:0:0/);
    const listed = await docker.listContainers({ all: true, filters: { label: ["e2e.sdk=dockerode"] } });
    assert.deepEqual(
      listed.map((each) => each.Names),
      [[`/${name}`]],
    );
  });
});
