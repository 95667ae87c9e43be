import { soak } from "./soak/soak.ts";

describe("soak", () => {
  it("loses nothing in 6 rounds of kills under load", async function () {
    this.timeout(180_000);
    const seed = process.env["LONGSHORE_SOAK_SEED"] ?? String(Date.now());
    await soak({ rounds: 6, seed, report: () => undefined });
  });
});
