import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";

/** What a pipe holds is 1 MiB: a writer that nobody reads would stand still long before this much. */
const muchBytes = 8 << 20;
/** Seconds between two looks of the container at its own clock; a blocked one would miss the whole absence. */
const maxGap = 2;
const awayMs = 5000;

/**
 * Prints as fast as it can, forty lines between two looks at the clock, and keeps the largest gap
 * that it saw, and how much it has printed, in /tmp/seen.
 */
const script = [
  'line=$(head -c 500 /dev/zero | tr "\\0" x); max=0; n=0; read last rest </proc/uptime; last=${last%.*}${last#*.}',
  "while :; do",
  'i=0; while [ $i -lt 40 ]; do echo "$line"; i=$((i+1)); done',
  "read now rest </proc/uptime; now=${now%.*}${now#*.}; n=$((n+20040))",
  "[ $((now-last)) -gt $max ] && max=$((now-last)); last=$now",
  'echo "$max $n" >/tmp/seen',
  "done",
].join("\n");

describe("a container that prints without end", () => {
  const name = "e2e-unblocked";
  afterEach(() => shared.docker(["rm", "-f", name]));

  for (const [rotation, options] of [
    ["no rotation", []],
    ["rotation by size", ["--log-opt", "max-size=1m", "--log-opt", "max-file=3"]],
    [
      "rotation with compression",
      ["--log-opt", "max-size=1m", "--log-opt", "max-file=3", "--log-opt", "compress=true"],
    ],
  ] as const) {
    it(`is not blocked while both daemons are away: ${rotation}`, async () => {
      await shared.ok(["run", "-d", "--name", name, ...options, "busybox", "sh", "-c", script]);
      // The file is empty at times: it is being written.
      const seen = async (): Promise<[number, number] | undefined> => {
        const [, max, printed] = /^(\d+) (\d+)$/.exec(await shared.ok(["exec", name, "cat", "/tmp/seen"])) ?? [];
        return printed === undefined ? undefined : [Number(max), Number(printed)];
      };
      const [, before] = await until("it prints", seen);
      await shared.engine.kill();
      await shared.containerd.kill();
      await sleep(awayMs);
      await shared.containerd.start();
      await shared.engine.start();
      const [max, after] = await until("it can be asked", seen);
      assert.ok(max / 100 < maxGap, `it stood still for ${max / 100} s`);
      assert.ok(after - before > muchBytes, `it printed only ${after - before} bytes`);
    });
  }
});
