import type { MessagePort } from "node:worker_threads";
import type { JobName, Jobs } from "./jobs.ts";
import type { WireError } from "./byte-port.ts";

/** What the pool asks of a worker; one job at a time. */
export type Request =
  | {
      job: JobName;
      options: Jobs[JobName]["options"];
      input?: MessagePort | undefined;
      output?: MessagePort | undefined;
    }
  | { cancel: true };

export type Response = { result: unknown } | { error: WireError };
