import assert from "node:assert/strict";
import { checkEngineKeys } from "./engine-keys.ts";

describe("the engine's own keys", () => {
  it("reads sockets and the audit log", () => {
    const { sockets, audit } = checkEngineKeys({
      sockets: [{ path: "/run/ro.sock", "read-only": true, mode: "0600", group: "ops" }],
      "audit-log": { path: "/var/log/a" },
    });
    assert.deepEqual(sockets, [
      {
        path: "/run/ro.sock",
        group: "ops",
        mode: 0o600,
        policy: { readOnly: true, containerLabels: [], endpoints: [] },
      },
    ]);
    assert.deepEqual(audit, { path: "/var/log/a", reads: false });
    assert.deepEqual(checkEngineKeys({}), { sockets: [] });
    assert.equal(checkEngineKeys({ "max-unpacked-size": "10GB" }).maxUnpacked, 10 * 2 ** 30);
    assert.throws(
      () => checkEngineKeys({ "max-unpacked-size": -1 }),
      /: max-unpacked-size: must be a size such as 10GB$/,
    );
  });

  const refused: [unknown, RegExp][] = [
    [[], /longshore: must be an object/],
    [{ socket: [] }, /longshore: .*don't match.*: socket$/],
    [{ sockets: [{ path: "/a" }] }, /longshore\.sockets\[0\]: a further socket needs a policy/],
    [{ sockets: [{ path: "a", "read-only": true }] }, /longshore\.sockets\[0\]\.path: must be an absolute path: a/],
    [{ sockets: [{ path: "/a", "read-only": "yes" }] }, /read-only: must be true or false/],
    [{ sockets: [{ path: "/a", readonly: true }] }, /don't match.*: readonly$/],
    [{ sockets: [{ path: "/a", endpoints: ["get /x"] }] }, /endpoints: not of the form .*: get \/x/],
    [{ sockets: [{ path: "/a", endpoints: [] }] }, /endpoints: must be a list of strings that is not empty/],
    [{ sockets: [{ path: "/a", "read-only": true, mode: "999" }] }, /mode: must be an octal mode/],
    [{ "audit-log": { path: "" } }, /audit-log\.path: must be a string/],
  ];
  for (const [value, reason] of refused)
    it(`refuses ${JSON.stringify(value)}`, () => assert.throws(() => checkEngineKeys(value, "longshore"), reason));
});
