import assert from "node:assert/strict";
import { InvalidArgument, Unavailable } from "@longshore/errdefs";
import { TaskOOMSchema } from "@longshore/proto/containerd/events/events";
import { type Pending, Publisher } from "./events.ts";

describe("event publisher", () => {
  it("keeps order while containerd is away", async () => {
    const delivered: string[] = [];
    let away = 2;
    const done = new Promise<void>((resolve) => {
      const publisher = new Publisher(async ({ topic }: Pending) => {
        if (away-- > 0) throw new Unavailable("ttrpc: closed");
        delivered.push(topic);
        if (delivered.length === 3) resolve();
      });
      for (const topic of ["/a", "/b", "/c"]) publisher.publish(topic, TaskOOMSchema, { containerId: "x" });
    });
    await done;
    assert.deepEqual(delivered, ["/a", "/b", "/c"]);
  });

  it("gives up what is refused time after time, and ends in time when asked to", async () => {
    const tries: string[] = [];
    const reports: string[] = [];
    const publisher = new Publisher(
      async ({ topic }: Pending) => {
        tries.push(topic);
        if (topic === "/refused") throw new InvalidArgument("no");
        if (topic === "/away") throw new Unavailable("closed");
      },
      (level, message) => reports.push(`${level}: ${message}`),
    );
    publisher.publish("/refused", TaskOOMSchema, { containerId: "x" });
    publisher.publish("/good", TaskOOMSchema, { containerId: "x" });
    await publisher.close(5000);
    assert.deepEqual(tries, ["/refused", "/refused", "/refused", "/refused", "/refused", "/good"]);
    publisher.publish("/away", TaskOOMSchema, { containerId: "x" });
    await publisher.close(50);
    assert.ok(tries.at(-1) === "/away");
    assert.deepEqual(reports, ["error: event /refused refused", "error: event /away could not be delivered"]);
  });
});
