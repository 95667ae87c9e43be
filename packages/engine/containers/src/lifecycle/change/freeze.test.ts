import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { GetResponseSchema } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import { freeze, thaw } from "./freeze.ts";

/** The tasks service of a runtime that refuses to pause what is paused, as runc does. */
function runtime(status: Status, options: { answers: boolean }) {
  const change = (from: Status, to: Status) => async () => {
    if (status !== from) throw new Error(`cannot go from ${status} to ${to}`);
    status = to;
    if (!options.answers) throw new Error("connection lost");
    return create(EmptySchema);
  };
  return {
    get: async () => create(GetResponseSchema, { process: { status } }),
    pause: change(Status.RUNNING, Status.PAUSED),
    resume: change(Status.PAUSED, Status.RUNNING),
    status: () => status,
  };
}

describe("freeze and thaw", () => {
  it("take a task that is as it should be for success: the answer to an earlier call may have been lost", async () => {
    for (const answers of [true, false]) {
      const tasks = runtime(Status.RUNNING, { answers });
      await freeze(tasks, "c");
      await freeze(tasks, "c");
      assert.equal(tasks.status(), Status.PAUSED);
      await thaw(tasks, "c");
      await thaw(tasks, "c");
      assert.equal(tasks.status(), Status.RUNNING);
    }
  });

  it("fail with what containerd said when the task is not as it should be", async () => {
    const tasks = runtime(Status.STOPPED, { answers: true });
    await assert.rejects(freeze(tasks, "c"), /cannot go from/);
    await assert.rejects(thaw(tasks, "c"), /cannot go from/);
    await assert.rejects(freeze({ ...tasks, get: () => Promise.reject(new Error("gone")) }, "c"), /cannot go from/);
  });
});
