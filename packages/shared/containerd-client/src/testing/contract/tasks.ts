import assert from "node:assert/strict";
import { unpackAny } from "@longshore/proto";
import { TaskExitSchema } from "@longshore/proto/containerd/events/events";
import type { Envelope } from "@longshore/proto/containerd/types/types";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { type Subject, lasts, obeys } from "./subject.ts";

export function taskContract(subject: Subject): void {
  const create = async (id: string, args: readonly string[]): Promise<number> => {
    const { client, runtime, spec, rootfs } = subject();
    await client.containers.create({ container: { id, runtime: { name: runtime }, spec: spec(id, args) } });
    const { pid } = await client.tasks.create({ containerId: id, rootfs: rootfs() });
    return pid;
  };
  const remove = async (id: string): Promise<void> => {
    const { tasks, containers } = subject().client;
    await tasks.kill({ containerId: id, signal: 9, all: true }).catch(() => undefined);
    await tasks.wait({ containerId: id }).catch(() => undefined);
    await tasks.delete({ containerId: id }).catch(() => undefined);
    await containers.delete({ id });
  };
  const status = async (containerId: string): Promise<Status | undefined> =>
    (await subject().client.tasks.get({ containerId })).process?.status;

  it("a life: created, running, paused, stopped, deleted, and its events", async () => {
    const { client, namespace } = subject();
    const { tasks } = client;
    const stop = new AbortController();
    const seen: Envelope[] = [];
    const followed = (async () => {
      const filters = [`namespace==${namespace},topic~="^/tasks/"`];
      for await (const envelope of client.events.subscribe({ filters }, { signal: stop.signal })) {
        seen.push(envelope);
        if (envelope.topic === "/tasks/delete") return;
      }
    })();
    const pid = await create("life", obeys);
    try {
      assert.equal(await status("life"), Status.CREATED);
      await assert.rejects(tasks.create({ containerId: "life", rootfs: subject().rootfs() }), {
        name: "AlreadyExists",
      });
      assert.equal((await tasks.start({ containerId: "life" })).pid, pid);
      assert.equal(await status("life"), Status.RUNNING);
      const { tasks: listed } = await tasks.list({});
      assert.deepEqual(
        listed.map((task) => [task.containerId || task.id, task.pid]),
        [["life", pid]],
      );
      await assert.rejects(tasks.start({ containerId: "life" }));
      await assert.rejects(tasks.delete({ containerId: "life" }));
      const { processes } = await tasks.listPids({ containerId: "life" });
      assert.ok(processes.some((process) => process.pid === pid));
      await tasks.pause({ containerId: "life" });
      assert.equal(await status("life"), Status.PAUSED);
      await assert.rejects(tasks.exec({ containerId: "life", execId: "e", spec: subject().process(["true"]) }));
      await tasks.resume({ containerId: "life" });
      await assert.rejects(tasks.resume({ containerId: "life" }));
      const waiting = tasks.wait({ containerId: "life" });
      // The trap may not be set yet.
      const tries = setInterval(() => void tasks.kill({ containerId: "life", signal: 15 }).catch(() => undefined), 50);
      await waiting.finally(() => clearInterval(tries));
      assert.equal((await waiting).exitStatus, 7);
      assert.equal(await status("life"), Status.STOPPED);
      await assert.rejects(tasks.kill({ containerId: "life", signal: 9 }), { name: "NotFound" });
      const deleted = await tasks.delete({ containerId: "life" });
      assert.deepEqual([deleted.exitStatus, deleted.pid], [7, pid]);
      await assert.rejects(tasks.get({ containerId: "life" }), { name: "NotFound" });
      await followed;
      assert.deepEqual(
        seen.map(({ topic }) => topic.slice("/tasks/".length)),
        ["create", "start", "paused", "resumed", "exit", "delete"],
      );
      const exit = unpackAny(seen[4]?.event, TaskExitSchema);
      assert.deepEqual([exit?.containerId, exit?.id, exit?.pid, exit?.exitStatus], ["life", "life", pid, 7]);
    } finally {
      stop.abort();
      await remove("life");
    }
  });

  it("execs, with codes of their own", async () => {
    const { client, process } = subject();
    const { tasks } = client;
    await create("execs", lasts);
    try {
      await tasks.start({ containerId: "execs" });
      const ids = { containerId: "execs", execId: "e1" };
      await tasks.exec({ ...ids, spec: process(["sh", "-c", "exit 3"]) });
      await assert.rejects(tasks.exec({ ...ids, spec: process(["true"]) }), { name: "AlreadyExists" });
      const { pid } = await tasks.start(ids);
      assert.ok(pid > 0);
      assert.equal((await tasks.wait(ids)).exitStatus, 3);
      assert.equal((await tasks.get(ids)).process?.status, Status.STOPPED);
      assert.equal((await tasks.deleteProcess(ids)).exitStatus, 3);
      await assert.rejects(tasks.get(ids), { name: "NotFound" });
      const second = { containerId: "execs", execId: "e2" };
      await tasks.exec({ ...second, spec: process(lasts) });
      await tasks.start(second);
      await tasks.kill({ ...second, signal: 9 });
      assert.equal((await tasks.wait(second)).exitStatus, 137);
      assert.equal(await status("execs"), Status.RUNNING);
    } finally {
      await remove("execs");
    }
  });

  it("a task that never ran can be deleted; none is not found", async () => {
    const { client } = subject();
    await create("idle", lasts);
    await client.tasks.delete({ containerId: "idle" });
    for (const call of [
      () => client.tasks.start({ containerId: "idle" }),
      () => client.tasks.kill({ containerId: "idle", signal: 9 }),
      () => client.tasks.delete({ containerId: "idle" }),
      () => client.tasks.wait({ containerId: "idle" }),
      () => client.tasks.get({ containerId: "never" }),
      () => client.tasks.create({ containerId: "never" }),
    ])
      await assert.rejects(call, { name: "NotFound" });
    await client.containers.delete({ id: "idle" });
  });

  it("a wait ends at its deadline, and with its caller", async () => {
    const { tasks } = subject().client;
    await create("waited", lasts);
    try {
      await tasks.start({ containerId: "waited" });
      await assert.rejects(tasks.wait({ containerId: "waited" }, { timeoutMs: 50 }), { name: "DeadlineExceeded" });
      await assert.rejects(tasks.wait({ containerId: "waited" }, { signal: AbortSignal.timeout(50) }), {
        name: "Canceled",
      });
    } finally {
      await remove("waited");
    }
  });
}
