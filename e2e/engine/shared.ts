import { type HostState, hostState } from "../host/state.ts";
import { importBusybox } from "./busybox.ts";
import { Longshore } from "./longshore.ts";

/** The engine that most test files share; root hooks start it and the last test ends it. */
export const shared = new Longshore({ bridge: `lse${process.pid}`, address: `10.213.${process.pid % 250}.1/24` });

/** The host as it was before the shared engine started. */
export let before: HostState;

export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    this.timeout(120_000);
    before = await hostState("/tmp/longshore-");
    await shared.start();
    await importBusybox(shared);
  },
  /** The last test ends the engine; when it did not come so far, nothing may stay behind either. */
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(60_000);
    await shared.dispose();
  },
};
