import assert from "node:assert/strict";
import { EventHub } from "./hub.ts";

describe("the events that are kept", () => {
  const emit = (hub: EventHub, attributes: Record<string, string>): void =>
    hub.emit("container", "create", { ID: "x", Attributes: attributes });

  it("are the last 256, and fewer when they are long", () => {
    const hub = new EventHub();
    for (let index = 0; index < 300; index++) emit(hub, { index: String(index) });
    assert.deepEqual(
      [hub.recent().length, hub.recent()[0]?.Actor?.Attributes, hub.recent().at(-1)?.Actor?.Attributes],
      [256, { index: "44" }, { index: "299" }],
    );
    for (let index = 0; index < 30; index++) emit(hub, { label: "x".repeat(1_000_000) });
    assert.equal(hub.recent().length, 16);
    let seen = 0;
    hub.subscribe(() => seen++);
    emit(hub, { label: "x".repeat(17 << 20) });
    assert.deepEqual([hub.recent().length, seen], [0, 1]);
    emit(hub, {});
    assert.equal(hub.recent().length, 1);
  });
});
