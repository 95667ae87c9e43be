import { readdirSync, readFileSync } from "node:fs";

/** The kernel's ticks a second, as /proc counts them everywhere. */
const ticksPerSecond = 100;

/**
 * The processor time that all processes of this process namespace have taken so far, those that ended and were waited
 * for included, in seconds.
 */
export function processorSeconds(): number {
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // The fields after the name, which may hold anything; 14 to 17 of proc_pid_stat(5).
      const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ");
      for (const field of fields.slice(11, 15)) ticks += Number(field);
    } catch {
      // It has ended: whoever waits for it has its time.
    }
  }
  return ticks / ticksPerSecond;
}
