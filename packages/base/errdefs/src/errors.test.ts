import assert from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import { messageOf } from "./index.ts";

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe("messageOf", () => {
  it("words a failed call on a file as Docker does", () => {
    assert.equal(messageOf(caught(() => readFileSync("/no/such"))), "open /no/such: no such file or directory");
    assert.equal(messageOf(caught(() => readFileSync("/"))), "read: is a directory");
    assert.equal(
      messageOf(caught(() => renameSync("/no/such", "/tmp/x"))),
      "rename /no/such /tmp/x: no such file or directory",
    );
  });

  it("leaves other messages as they are", () => {
    assert.equal(messageOf(new Error("so")), "so");
    assert.equal(messageOf("so"), "so");
  });
});
