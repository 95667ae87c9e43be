import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { EventStream } from "../engine/events.ts";
import { shared } from "../engine/shared.ts";
import { must } from "../host/exec.ts";
import { containersOfTest, roundsOr } from "./testing/containers.ts";

const { api } = shared;

/** The answer to a wait, that the engine has begun to keep. */
async function waitFor(id: string, condition: string): Promise<number> {
  const { StatusCode } = JSON.parse(
    (await api.call("POST", `/containers/${id}/wait?condition=${condition}`)).toString(),
  ) as { StatusCode: number };
  return StatusCode;
}

describe("waiting for containers", () => {
  const create = containersOfTest();

  for (const [policy, count] of [
    ["no", 0],
    ["always", 0],
    ["unless-stopped", 0],
    ["on-failure", 0],
    ["on-failure", 1],
  ] as const) {
    it(`ends at the first exit under the policy ${policy}${count > 0 ? `:${count}` : ""}, whether it is started again or not`, async () => {
      const id = await create({
        Cmd: ["sh", "-c", "sleep 0.3; exit 3"],
        HostConfig: { RestartPolicy: { Name: policy, MaximumRetryCount: count } },
      });
      const next = waitFor(id, "next-exit");
      const removed = waitFor(id, "removed");
      await api.call("POST", `/containers/${id}/start`);
      assert.deepEqual(await Promise.all([next, waitFor(id, "not-running")]), [3, 3]);
      await api.call("DELETE", `/containers/${id}?force=1`);
      assert.ok([3, 137].includes(await removed));
    });
  }

  it("ends at the exit of a container whose policy was changed while it ran", async () => {
    for (const [before, after] of [
      ["no", "always"],
      ["always", "no"],
    ] as const) {
      const id = await create({
        Cmd: ["sh", "-c", "read line; exit 4"],
        OpenStdin: true,
        HostConfig: { RestartPolicy: { Name: before } },
      });
      const { socket } = await api.attach(id, "stream=1&stdin=1");
      await api.call("POST", `/containers/${id}/start`);
      const exit = waitFor(id, "not-running");
      await api.call("POST", `/containers/${id}/update`, { RestartPolicy: { Name: after } });
      socket.write("go\n");
      assert.equal(await exit, 4);
      assert.equal((await api.inspect(id)).State.Running, after === "always");
      socket.destroy();
    }
  });

  it("an attached client ends with the code of the run that it saw", async () => {
    const name = "e2e-waiting";
    try {
      const { code, stdout } = await shared.docker(
        ["run", "-i", "--restart", "always", "--name", name, "busybox", "sh"],
        { input: "echo seen\nexit 11\n" },
      );
      assert.deepEqual([code, stdout], [11, "seen\n"]);
    } finally {
      await shared.docker(["rm", "-f", name]);
    }
  });

  it("tells why a container could not be started", async () => {
    const id = await create({ Cmd: ["/nonexistent"] });
    assert.equal((await api.ask("POST", `/containers/${id}/start`)).status, 400);
    const { StatusCode, Error } = JSON.parse((await api.call("POST", `/containers/${id}/wait`)).toString()) as {
      StatusCode: number;
      Error?: { Message: string };
    };
    assert.equal(StatusCode, 127);
    assert.match(Error?.Message ?? "", /no such file or directory/);
  });

  it("for a removal ends when that fails, for those who come later too, and begins anew with none", async () => {
    const id = await create({ Cmd: ["true"], HostConfig: { NetworkMode: "none" } });
    const place = join(shared.data, "containers", id, "busy");
    const wait = (): Promise<unknown> =>
      api
        .call("POST", `/containers/${id}/wait?condition=removed`)
        .then((body) => JSON.parse(body.toString()) as unknown);
    mkdirSync(place);
    await must("mount", ["-t", "tmpfs", "none", place]);
    try {
      const early = [wait(), wait()];
      await api.get("/containers/json");
      const { status, body } = await api.ask("DELETE", `/containers/${id}`);
      const { message } = JSON.parse(body.toString()) as { message: string };
      assert.equal(status, 500);
      assert.match(message, /failed to remove/);
      const told = { StatusCode: 0, Error: { Message: message } };
      assert.deepEqual(await Promise.all([...early, wait()]), [told, told, told]);
      assert.equal((await api.inspect(id)).State.Status, "dead");
    } finally {
      await must("umount", [place]);
    }
    assert.equal((await api.ask("DELETE", `/containers/${id}`)).status, 204);
    assert.equal((await api.ask("POST", `/containers/${id}/wait?condition=removed`)).status, 404);
  });

  it("die is in the stream of events before anybody else sees the end", async () => {
    const rounds = roundsOr(12);
    const events = await EventStream.open(shared, { type: ["container"], event: ["die"] });
    const late: string[] = [];
    const check = async (id: string, what: string): Promise<void> => {
      // What the engine wrote before it answered lies in our socket.
      for (let i = 0; i < 3; i++) await setImmediate();
      if (!events.seen.some(({ Actor }) => Actor.ID === id)) late.push(what);
    };
    const round = async (restart: string): Promise<void> => {
      const id = await create({
        Cmd: ["sh", "-c", "echo x; sleep 0.05"],
        HostConfig: { NetworkMode: "none", RestartPolicy: { Name: restart } },
      });
      const attached = await api.attach(id, "stream=1&stdout=1&stderr=1");
      const waited = waitFor(id, "next-exit");
      await api.call("POST", `/containers/${id}/start`);
      const looked = async (): Promise<void> => {
        while ((await api.inspect(id)).State.Status === "running");
      };
      await Promise.all([
        waited.then(() => check(id, "wait")),
        attached.ended.then(() => check(id, "attach")),
        looked().then(() => check(id, "inspect")),
      ]);
      assert.equal(attached.output, "x\n");
      await api.call("DELETE", `/containers/${id}?force=1`);
    };
    try {
      for (let done = 0; done < rounds; done += 4) await Promise.all(["no", "always", "no", "on-failure"].map(round));
    } finally {
      events.close();
    }
    assert.deepEqual(late, []);
  });
});
