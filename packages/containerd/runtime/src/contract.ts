import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { Any, Timestamp } from "@bufbuild/protobuf/wkt";
import type { Envelope, Mount } from "@longshore/proto/containerd/types/types";
import type { Bootstrap } from "./shim/bootstrap.ts";

/** The stdio of a process: fifo paths or URIs, passed to the shim untouched. */
export interface TaskIO {
  stdin: string;
  stdout: string;
  stderr: string;
  terminal: boolean;
}

export interface CreateOptions {
  /** The OCI runtime spec as JSON bytes; written to the bundle as `config.json`. */
  spec: Uint8Array;
  rootfs: readonly Mount[];
  io: TaskIO;
  /**
   * criu images to restore from: their directory, or what fills one that lives as long as the task
   * (they are read at the start, not at the creation). "" for a fresh start.
   */
  checkpoint: string | ((directory: string) => Promise<unknown>);
  /** Runtime name (`io.containerd.runc.v2`) or the absolute path of a shim. */
  runtime: string;
  runtimeOptions?: Any | undefined;
  /** Override `runtimeOptions` when given. */
  taskOptions?: Any | undefined;
  /** The sandbox whose shim serves the task. */
  sandbox?: SandboxEndpoint | undefined;
}

/** Where the shim of a sandbox serves. */
export interface SandboxEndpoint {
  id: string;
  bootstrap: Bootstrap;
  /** Path of the shim; without it, that of the task's runtime. */
  binary?: string;
}

/** How a process ended. */
export interface Exit {
  pid: number;
  /** 128 + signal for a process that was killed. */
  status: number;
  exitedAt: Timestamp;
}

/** Where the runtime announces what no shim is left to announce. */
export interface EventPublisher {
  /** @param topic e.g. `/tasks/exit` */
  publish<S extends DescMessage>(namespace: string, topic: string, schema: S, event: MessageInitShape<S>): void;
}

/** All events of the daemon, those of the shims among them. */
export interface RuntimeEvents extends EventPublisher {
  /** The events from now on that one of `filters` matches, until `signal` aborts. */
  subscribe(filters: readonly string[], signal: AbortSignal): AsyncIterable<Envelope>;
}

/** What the runtime needs to know of its daemon. */
export interface RuntimeConfig {
  /** containerd's root directory; working directories of runtimes lie below. */
  root: string;
  /** containerd's state directory; bundles lie below. */
  state: string;
  /** Path of the gRPC socket; shims derive their own socket's name from it. */
  address: string;
  /** Path of the ttrpc socket on which shims publish events. */
  ttrpcAddress: string;
  /** Path of containerd itself, for shims that publish through its command line. */
  containerdBinary: string;
  /** Directories searched for shims before $PATH. */
  shimDirs: readonly string[];
  /** Takes a shim out of the daemon's unit of the service manager; none: it stays with the daemon. */
  place?: (pid: number) => void;
  /** Shims are told to log in detail. */
  debug: boolean;
  /** Release number of containerd, told to shims. */
  version: string;
}
