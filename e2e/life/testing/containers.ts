import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { shared } from "../../engine/shared.ts";

/** How often a test repeats what happens by chance: LONGSHORE_TEST_ROUNDS, or `few` times. */
export function roundsOr(few: number): number {
  return Number(process.env["LONGSHORE_TEST_ROUNDS"] ?? few);
}

/** For the tests of one `describe`: makes containers of busybox, which are removed after each test. @returns their ids */
export function containersOfTest(): (config: object) => Promise<string> {
  const made: string[] = [];
  afterEach(() => Promise.all(made.splice(0).map((id) => shared.api.ask("DELETE", `/containers/${id}?force=1`))));
  return async (config) => {
    const id = await shared.api.create({ Image: "busybox", ...config });
    made.push(id);
    return id;
  };
}

/** A call of the API whose bodies go and come while the test does other things. @param path without the version */
export function begin(method: "GET" | "PUT", path: string): { call: ClientRequest; answer: Promise<IncomingMessage> } {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const call = request({ socketPath: shared.host.replace("unix://", ""), method, path: `/v1.51${path}`, agent: false });
  call.once("response", resolve).once("error", reject);
  return { call, answer: promise };
}
