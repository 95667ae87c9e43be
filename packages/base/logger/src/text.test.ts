import assert from "node:assert/strict";
import { textLine } from "./text.ts";

describe("lines of the log as text", () => {
  const line = (members: object): string =>
    textLine(
      JSON.stringify({
        level: "info",
        time: "2026-11-27T20:07:20.391Z",
        pid: 1,
        hostname: "h",
        name: "dockerd",
        msg: "up",
        ...members,
      }),
    );
  it("look as dockerd's", () => {
    assert.equal(line({}), 'time="2026-11-27T20:07:20.391000000Z" level=info msg="up"\n');
    assert.equal(
      line({ level: "warn", msg: 'a "b"\nc', path: "/a/b", list: [1] }),
      'time="2026-11-27T20:07:20.391000000Z" level=warning msg="a \\"b\\"\\nc" list="[1]" path=/a/b\n',
    );
  });
  it("have the stack of a fault of the program, and of nothing else", () => {
    assert.match(
      line({ err: { type: "NotFound", message: "No such image: x", stack: "at a" } }),
      / msg="up" error="No such image: x"\n$/,
    );
    assert.match(line({ err: { type: "TypeError", message: "x", stack: "at a" } }), / error=x stack="at a"\n$/);
  });
});
