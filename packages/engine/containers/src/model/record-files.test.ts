import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "@longshore/logger";
import { newContainerId } from "./names.ts";
import { type ContainerRecord, newState } from "./record.ts";
import { loadContainers, saveContainer } from "./record-files.ts";

describe("container records", () => {
  let base = "";
  const [root, damaged] = ["containers", "damaged"];
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "records-"));
    await mkdir(join(base, root));
    await mkdir(join(base, damaged));
  });
  afterEach(() => rm(base, { recursive: true }));

  it("come back as saved; damaged ones are set aside, unfinished ones removed", async () => {
    const [good, bad, wrong, unfinished, lost] = [
      newContainerId(),
      newContainerId(),
      newContainerId(),
      newContainerId(),
      newContainerId(),
    ];
    for (const id of [good, bad, wrong, unfinished, lost]) await mkdir(join(base, root, id));
    const record = { ID: good, Name: "/good", State: newState(), Config: {} } as ContainerRecord;
    await saveContainer(join(base, root, good), { record, hostConfig: { NetworkMode: "bridge" } as never });
    await saveContainer(join(base, root, wrong), { record, hostConfig: {} as never });
    await writeFile(join(base, root, bad, "config.v2.json"), '{"ID":"');
    await writeFile(join(base, root, unfinished, "hostname"), "x");
    // Its record is gone, its lines are not.
    await writeFile(join(base, root, lost, `${lost}-json.log`), "{}");
    const loaded = await loadContainers(join(base, root), join(base, damaged), silent);
    assert.deepEqual(
      loaded.map(({ record: { ID, Name, State } }) => ({ ID, Name, State })),
      [{ ID: good, Name: "/good", State: record.State }],
    );
    assert.deepEqual(await readdir(join(base, root)), [good]);
    assert.deepEqual(
      (await readdir(join(base, damaged))).map((name) => name.slice(0, 64)).sort(),
      [bad, wrong, lost].sort(),
    );
  });
});
