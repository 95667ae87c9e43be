import assert from "node:assert/strict";
import {
  type FinishedSpan,
  currentTraceparent,
  formatTraceparent,
  parseTraceparent,
  span,
  startTracing,
  untraced,
  withParent,
} from "./index.ts";

describe("trace", () => {
  it("reads and writes traceparent", () => {
    const header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert.equal(formatTraceparent(parseTraceparent(header)!), header);
    for (const bad of [
      undefined,
      "",
      `${header}-x`,
      header.replace("00-", "ff-"),
      header.replace("b7ad6b7169203331", "0".repeat(16)),
    ])
      assert.equal(parseTraceparent(bad), undefined, String(bad));
    assert.deepEqual(parseTraceparent(`${header.replace("00-", "cc-")}-more`), parseTraceparent(header));
  });

  it("nests spans over awaits and keeps background work out", async () => {
    const ended: FinishedSpan[] = [];
    await span("off", async () => assert.equal(currentTraceparent(), undefined), { root: true });
    startTracing((one) => ended.push(one));
    await span("background", async () => undefined);
    const parent = parseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!;
    await withParent(parent, () =>
      span("outer", async () => {
        await Promise.resolve();
        await assert.rejects(span("inner", () => Promise.reject(new Error("no"))));
        await untraced(() => span("left out", async () => undefined));
      }),
    );
    const [inner, outer] = ended;
    assert.deepEqual(
      ended.map(({ name, error }) => [name, error]),
      [
        ["inner", "no"],
        ["outer", undefined],
      ],
    );
    assert.deepEqual([inner?.parent, outer?.parent], [outer?.context, parent]);
    assert.equal(inner?.context.traceId, parent.traceId);
    await withParent({ ...parent, sampled: false }, () => span("not recorded", async () => undefined));
    assert.equal(ended.length, 2);
  });
});
