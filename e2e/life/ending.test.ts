import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { EventStream } from "../engine/events.ts";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";
import { roundsOr } from "./testing/containers.ts";

const { api } = shared;
const rounds = roundsOr(11);

type Answer = { status: number; body: Buffer };

/** Everything that needs, changes or looks into a running process. */
const operations: Record<string, (id: string) => Promise<Answer>> = {
  commit: (id) => api.ask("POST", `/commit?container=${id}`),
  pause: (id) => api.ask("POST", `/containers/${id}/pause`),
  kill: (id) => api.ask("POST", `/containers/${id}/kill?signal=USR2`),
  stop: (id) => api.ask("POST", `/containers/${id}/stop?t=0`),
  top: (id) => api.ask("GET", `/containers/${id}/top`),
  stats: (id) => api.ask("GET", `/containers/${id}/stats?stream=0&one-shot=1`),
  update: (id) => api.ask("POST", `/containers/${id}/update`, { Memory: 64 << 20, MemorySwap: 64 << 20 }),
  resize: (id) => api.ask("POST", `/containers/${id}/resize?h=20&w=20`),
  copy: (id) => api.ask("GET", `/containers/${id}/archive?path=/etc/passwd`),
  attach: async (id) => {
    const attached = await api.attach(id, "stream=1&stdout=1");
    attached.socket.destroy();
    return { status: 200, body: attached.raw };
  },
  exec: async (id) => {
    const created = await api.ask("POST", `/containers/${id}/exec`, { Cmd: ["true"], User: "nobody" });
    if (created.status !== 201) return created;
    return api.ask("POST", `/exec/${(JSON.parse(created.body.toString()) as { Id: string }).Id}/start`, {
      Detach: true,
    });
  },
};

describe("a container that is just ending", () => {
  it("is taken for one that runs or for one that has ended, whatever is asked of it", async () => {
    const odd: string[] = [];
    const round = async (name: string, delayMs: number): Promise<void> => {
      const id = await api.create({
        Image: "busybox",
        Cmd: ["sh", "-c", "sleep 0.05"],
        HostConfig: { NetworkMode: "none" },
      });
      try {
        await api.call("POST", `/containers/${id}/start`);
        await sleep(delayMs);
        const { status, body } = (await operations[name]?.(id)) ?? assert.fail(name);
        const text = body.toString();
        // An exec that never ran goes with the run of its container.
        if (status >= 500 || (status >= 400 && !/is not running|^\{"message":"No such exec instance: /.test(text)))
          odd.push(`${name} after ${delayMs} ms: ${status} ${text}`);
        const { Id: image } = (name === "commit" && status === 201 ? JSON.parse(text) : {}) as { Id?: string };
        if (image !== undefined) await api.ask("DELETE", `/images/${image}?force=1`);
      } finally {
        await api.ask("DELETE", `/containers/${id}?force=1`);
      }
    };
    const names = Object.keys(operations);
    for (let done = 0; done < rounds; done += names.length)
      await Promise.all(names.map((name, i) => round(name, ((done + i * 7) * 5) % 80)));
    assert.deepEqual(odd, []);
  });

  it("is not asked for its health while it is paused", async () => {
    const Healthcheck = { Test: ["CMD", "false"], Interval: 100e6, Retries: 1000 };
    const [paused = "", other = ""] = await Promise.all(
      [0, 1].map(() =>
        api.create({ Image: "busybox", Cmd: ["sleep", "60"], Healthcheck, HostConfig: { NetworkMode: "none" } }),
      ),
    );
    const events = await EventStream.open(shared, { event: ["exec_create"] });
    const probes = (id: string): number => events.seen.filter(({ Actor }) => Actor.ID === id).length;
    try {
      await Promise.all([paused, other].map((id) => api.call("POST", `/containers/${id}/start`)));
      await until("both are asked", () => probes(paused) > 0 && probes(other) > 0);
      assert.equal(events.seen[0]?.Action, "exec_create: false ");
      await api.call("POST", `/containers/${paused}/pause`);
      const [before, others] = [probes(paused), probes(other)];
      await until("the other one is asked", () => probes(other) >= others + 4);
      assert.equal(probes(paused), before);
      await api.call("POST", `/containers/${paused}/unpause`);
      await until("it is asked again", () => probes(paused) > before);
    } finally {
      events.close();
      await Promise.all([paused, other].map((id) => api.ask("DELETE", `/containers/${id}?force=1`)));
    }
  });

  it("events between two moments are refused when the second is before the first", async () => {
    const { status, body } = await api.ask("GET", "/events?since=20&until=10");
    assert.deepEqual(
      [status, (JSON.parse(body.toString()) as { message: string }).message],
      [400, "`since` time (20) cannot be after `until` time (10)"],
    );
  });
});
