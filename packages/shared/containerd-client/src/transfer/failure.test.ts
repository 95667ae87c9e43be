import assert from "node:assert/strict";
import { FailedPrecondition, NotFound, Unavailable, Unknown } from "@longshore/errdefs";
import { registryWords, transferReason, transferReasons as reasons } from "./failure.ts";

describe("why a transfer failed", () => {
  const cases = [
    ["ours says it", new NotFound("whatever", { reason: reasons.noPlatform }), reasons.noPlatform],
    ["ours says something else", new NotFound("no match for platform in it", { reason: "OTHER" }), undefined],
    ["the stock one's words", new Unknown("failed to resolve image: x: no route"), reasons.resolveFailed],
    ["", new NotFound("no match for platform in manifest x: not found"), reasons.noPlatform],
    ["", new FailedPrecondition("x: unpacker does not support platform y for image z"), reasons.notUnpacked],
    ["words of another kind", new Unknown("no match for platform in manifest x: not found"), undefined],
    ["nothing of it", new Unavailable("no connection"), undefined],
  ] as const;
  for (const [title, error, expected] of cases)
    it(`${title || error.message}: ${expected ?? "unknown"}`, () => assert.equal(transferReason(error), expected));

  it("leaves the registry's own words", () => {
    assert.equal(registryWords(new Unknown("failed to resolve image: x: no route")), "x: no route");
    assert.equal(registryWords(new Unknown("x: no route")), "x: no route");
  });
});
