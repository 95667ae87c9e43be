import { soak } from "./soak.ts";

describe("soak", () => {
  it("loses nothing in 20 rounds of kills under load, or in as many as a busy machine does in time", async function () {
    this.timeout(300_000);
    const seed = process.env["LONGSHORE_SOAK_SEED"] ?? String(Date.now());
    await soak({ rounds: 20, enoughMs: 75_000, seed, report: () => undefined });
  });
});
