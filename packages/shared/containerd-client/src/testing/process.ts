import { type Timestamp, timestampNow } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { Status } from "@longshore/proto/containerd/v1/types/task";
import type { CreateTaskRequest, ExecProcessRequest } from "@longshore/proto/containerd/services/tasks/v1/tasks";

/** How processes of the fake behave; each may be replaced by a test at any time. */
export interface Behaviour {
  /** The pid of the next process; by default numbers that no process of the machine has. */
  pid: () => number;
  /** @returns the exit code with which the process ends as it starts; undefined: it runs on, as by default */
  onStart: (process: FakeProcess) => number | undefined;
  /** @returns the exit code with which it ends by this signal; by default 128 and the signal for SIGKILL and SIGTERM */
  onSignal: (process: FakeProcess, signal: number) => number | undefined;
}

/** The kernel's highest pid is this. */
const highestPid = 1 << 22;

export function defaultBehaviour(): Behaviour {
  let last = highestPid;
  return {
    pid: () => ++last,
    onStart: () => undefined,
    onSignal: (_process, signal) => (signal === 9 || signal === 15 ? 128 + signal : undefined),
  };
}

/** A process of the fake: a container's init, or an exec. */
export class FakeProcess {
  readonly containerId: string;
  /** Empty for the init. */
  readonly execId: string;
  /** What it was asked to be. */
  readonly request: CreateTaskRequest | ExecProcessRequest;
  /** The OCI document with what it runs: the container's spec, or the exec's process. */
  readonly spec: Any | undefined;
  pid = 0;
  status: Status = Status.CREATED;
  exitCode = 0;
  exitedAt: Timestamp | undefined;
  /** Signals that it was sent. */
  readonly signals: number[] = [];
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #end: () => void;

  constructor(request: CreateTaskRequest | ExecProcessRequest, spec: Any | undefined, execId: string) {
    this.request = request;
    this.spec = spec;
    this.containerId = request.containerId;
    this.execId = execId;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** Has it end, if it has not. @returns whether it does */
  stop(code: number): boolean {
    if (this.status === Status.STOPPED) return false;
    this.status = Status.STOPPED;
    this.exitCode = code;
    this.exitedAt = timestampNow();
    this.#end();
    return true;
  }
}

/** A container's processes. */
export class FakeTask {
  readonly init: FakeProcess;
  readonly execs = new Map<string, FakeProcess>();
  /** Sizes that its terminal was given. */
  readonly sizes: { execId: string; width: number; height: number }[] = [];
  /** Resources that it was given by updates. */
  readonly updates: (Any | undefined)[] = [];
  /** What `metrics` answers; absent: nothing of it. */
  metrics: Any | undefined;

  constructor(init: FakeProcess) {
    this.init = init;
  }
}
