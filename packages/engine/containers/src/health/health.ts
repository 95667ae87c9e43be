import { once } from "node:events";
import { Duplex } from "node:stream";
import { Attachment } from "../attach/attach-sessions.ts";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { createExec, findExec, startExec } from "../exec/exec.ts";
import { hasEnded } from "../lifecycle/end/has-ended.ts";
import { Demultiplexer } from "../attach/stdcopy.ts";
import { attempt } from "../lifecycle/task.ts";
import { parseTime } from "../model/time.ts";
import { HealthMonitor, Interrupted, type ProbeResult } from "./monitor.ts";
import { healthSettings } from "./settings.ts";

type Health = NonNullable<Container["record"]["State"]["Health"]>;

/** More output than a probe may show is read, but not kept. */
const keepBytes = 8192;

/**
 * The health of a container at its start: `starting`, or none without a health check. It is there as
 * soon as the container runs, else who waits for it to be healthy would find nothing to wait for.
 */
export function healthAtStart(container: Container): Health | null {
  return settingsOf(container) === undefined ? null : starting();
}

const starting = (): Health => ({ Status: "starting", FailingStreak: 0, Log: [] });

function settingsOf({ record: { Config } }: Container): ReturnType<typeof healthSettings> {
  return healthSettings(Config.Healthcheck, Config.Shell ?? ["/bin/sh", "-c"]);
}

/** Begins to probe a container that has just started, goes on after a pause, or was found running. One that stands still is not asked. */
export function startHealth(context: Context, container: Container): void {
  const { State } = container.record;
  stopHealth(container);
  const settings = settingsOf(container);
  if (settings === undefined) {
    State.Health = null;
    return;
  }
  // A start has set it; after the engine's own restart the container's health goes on.
  State.Health ??= starting();
  if (State.Paused) return;
  const hooks = {
    probe: (command: readonly string[], signal: AbortSignal) =>
      probe(context, container, command, signal).then(
        (result) => {
          context.healthObserver?.ended(false);
          return result;
        },
        async (error: unknown) => {
          // Its end is the news, and no failure of a probe.
          if (!signal.aborted && (await hasEnded(context, container))) await once(signal, "abort");
          context.healthObserver?.ended(!signal.aborted);
          throw error;
        },
      ),
    onResult: (health: Health, changed: boolean) => {
      State.Health = health;
      if (!changed) return;
      emitContainer(context, container, `health_status: ${health.Status}`);
      void attempt(context, "saving a container's health", () => container.lock.run(() => container.save()));
    },
  };
  container.health = new HealthMonitor(settings, hooks, parseTime(State.StartedAt), State.Health);
}

export function stopHealth(container: Container): void {
  container.health?.stop();
  container.health = undefined;
}

async function probe(
  context: Context,
  container: Container,
  command: readonly string[],
  signal: AbortSignal,
): Promise<ProbeResult> {
  const since = performance.now();
  const id = await createExec(context, container, {
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    tty: false,
    detachKeys: "",
    env: [],
    cmd: [...command],
    privileged: false,
    user: "",
    workingDir: "",
  });
  const exec = findExec(context, id);
  const output = new Capture();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    await startExec(
      context,
      exec,
      new Attachment({ stdin: false, stdout: true, stderr: true, detachKeys: [] }, output),
    );
    context.healthObserver?.begun((performance.now() - since) / 1000);
    const exitCode = await Promise.race([exec.ended, aborted]);
    return { exitCode, output: output.text() };
  } catch (error) {
    if (exec.running) {
      await attempt(context, "killing a health probe", () =>
        context.containerd.tasks.kill({ containerId: container.id, execId: exec.id, signal: 9 }),
      );
    }
    throw signal.aborted ? new Interrupted(output.text(), { cause: error }) : error;
  } finally {
    container.execs.delete(id);
    output.destroy();
  }
}

/** A client's side that only collects what both output streams say. */
class Capture extends Duplex {
  readonly #frames = new Demultiplexer();
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  override _read(): void {
    // It never has input.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#frames.push(chunk, (_stream, payload) => {
      if (this.#bytes < keepBytes) this.#parts.push(Buffer.from(payload));
      this.#bytes += payload.length;
    });
    done();
  }

  text(): string {
    return Buffer.concat(this.#parts).toString("utf8");
  }
}
