import { parentPort } from "node:worker_threads";
import { receiveBytes, sendBytes, toWire } from "./byte-port.ts";
import { type JobStreams, jobs } from "./jobs.ts";
import type { Request, Response } from "./messages.ts";

if (parentPort === null) throw new Error("this module runs in a worker thread");
const port = parentPort;
let abort = new AbortController();

port.on("message", (request: Request) => {
  if ("cancel" in request) abort.abort();
  else void run(request);
});

async function run({ job, options, input, output }: Exclude<Request, { cancel: true }>): Promise<void> {
  abort = new AbortController();
  const streams: JobStreams = {
    input: input && receiveBytes(input),
    output: async (source) => {
      if (output === undefined) throw new TypeError(`${job} has nowhere to write to`);
      await sendBytes(output, source);
    },
    signal: abort.signal,
  };
  let response: Response;
  try {
    const start = jobs[job] as (options: unknown, streams: JobStreams) => Promise<unknown>;
    response = { result: await start(options, streams) };
  } catch (error) {
    response = { error: toWire(error) };
    output?.close();
  } finally {
    input?.close();
  }
  port.postMessage(response);
}
