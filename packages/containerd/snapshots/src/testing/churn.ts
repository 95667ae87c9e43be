// Makes, commits and removes snapshots until it is killed.
import { OverlayfsSnapshotter } from "../index.ts";

const snapshotter = new OverlayfsSnapshotter({ root: process.argv[2] as string });
const start = process.hrtime.bigint();
process.stdout.write("started\n");
for (let n = 0; ; n++) {
  const id = `${start}-${n}`;
  await snapshotter.prepare(`a-${id}`, "");
  await snapshotter.commit(`base-${id}`, `a-${id}`);
  await snapshotter.prepare(`b-${id}`, `base-${id}`);
  if (n % 2 === 0) {
    await snapshotter.remove(`b-${id}`);
    await snapshotter.remove(`base-${id}`);
  }
}
