import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";

const label = "e2e-prune";
const matching = encodeURIComponent(JSON.stringify({ label: [label], all: ["true"] }));

interface Pruned {
  ContainersDeleted?: string[] | null;
  VolumesDeleted?: string[] | null;
}

/** How often the list of containers was answered, one request after the other, while a prune was under way. */
async function listedDuring(prune: Promise<unknown>): Promise<number> {
  let over = false;
  prune.then(
    () => (over = true),
    () => (over = true),
  );
  for (let times = 0; ; times++) {
    await shared.api.get("/containers/json?all=1");
    if (over) return times;
  }
}

describe("prune", () => {
  afterEach(async () => {
    const ids = (await shared.ok(["ps", "-aq", "--filter", `label=${label}`])).split("\n").filter(Boolean);
    if (ids.length > 0) await shared.ok(["rm", "-f", ...ids]);
    await shared.ok(["volume", "prune", "-af", "--filter", `label=${label}`]);
  });

  it("of many containers goes on beside everything else, one at a time", async () => {
    const create = () => shared.ok(["create", "--label", label, "--network", "none", "busybox", "true"]);
    for (let made = 0; made < 24; made += 6) await Promise.all(Array.from({ length: 6 }, create));
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const prune = shared.api
      .call("POST", `/containers/prune?filters=${filters}`)
      .then((body) => JSON.parse(body.toString()) as Pruned);
    const second = shared.api.call("POST", `/containers/prune?filters=${filters}`);
    await assert.rejects(second, /409: .*a prune operation is already running/);
    const times = await listedDuring(prune);
    assert.equal((await prune).ContainersDeleted?.length, 24);
    assert.ok(times >= 5, `answered ${times} times`);
  });

  it("of a volume with many files, too", async () => {
    await shared.ok(["volume", "create", "--label", label, label]);
    const data = join(shared.data, "volumes", label, "_data");
    for (let folder = 0; folder < 10; folder++) {
      mkdirSync(join(data, String(folder)));
      for (let file = 0; file < 400; file++) writeFileSync(join(data, String(folder), String(file)), "");
    }
    const prune = shared.api
      .call("POST", `/volumes/prune?filters=${matching}`)
      .then((body) => JSON.parse(body.toString()) as Pruned);
    const times = await listedDuring(prune);
    assert.deepEqual((await prune).VolumesDeleted, [label]);
    assert.ok(times >= 5, `answered ${times} times`);
  });
});
