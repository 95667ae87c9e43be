import { addon } from "../addon.ts";

const native = addon as { mallocTrim(): void };

/** How often it is looked whether the process rests, in milliseconds. */
const intervalMs = 2000;
/** Below this share of a processor it rests. */
const restingShare = 0.03;

/**
 * From now on, each time work has ended: collects garbage and gives free memory back to the system (malloc_trim).
 * V8 collects only when it wants more memory, and malloc keeps what was freed. For Node; call it once.
 */
export function releaseMemoryWhenIdle(): void {
  // Not imported: the shim, which Bun compiles, loads this package too.
  process.getBuiltinModule("node:v8").setFlagsFromString("--expose-gc");
  const collect = process.getBuiltinModule("node:vm").runInNewContext("gc") as () => void;
  let before = process.cpuUsage();
  // V8 frees what it collected on another thread, in its own time: malloc has it only at the next look.
  let due: "collect" | "trim" | undefined = "collect";
  const look = (): void => {
    const { user, system } = process.cpuUsage(before);
    const rests = user + system < restingShare * intervalMs * 1000;
    if (!rests) due = "collect";
    else if (due === "collect") {
      collect();
      due = "trim";
    } else if (due === "trim") {
      native.mallocTrim();
      due = undefined;
    }
    before = process.cpuUsage();
  };
  setInterval(look, intervalMs).unref();
}
