import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importBusybox } from "../engine/busybox.ts";
import { compare, seconds, twoEngines } from "./engines.ts";

// A compose project of 20 services, up and down, on two engines in turn:
//   node e2e/bench/compose.ts [--rounds 9] [--docker PATH] OURS PEER
const { engines, rounds } = twoEngines(9);
const dir = mkdtempSync(join(tmpdir(), "compose-bench-"));
const service = `image: busybox, command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 3600 & wait; done']`;
try {
  writeFileSync(
    join(dir, "compose.yaml"),
    `services:\n${Array.from({ length: 20 }, (_, i) => `  s${i}: { ${service} }\n`).join("")}`,
  );
  for (const engine of engines)
    if ((await engine.ok(["image", "ls", "-q", "busybox"])) === "") await importBusybox(engine);
  await compare(engines, rounds, async (engine) => ({
    "up -d": await seconds(() => engine.ok(["compose", "up", "-d"], { cwd: dir })),
    down: await seconds(() => engine.ok(["compose", "down"], { cwd: dir })),
  }));
} finally {
  for (const engine of engines) await engine.ok(["compose", "down"], { cwd: dir }).catch(() => undefined);
  rmSync(dir, { recursive: true });
}
