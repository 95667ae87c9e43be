import assert from "node:assert/strict";
import { resolveUser, type ReadRootFile } from "./user.ts";

const files: Record<string, string> = {
  "/etc/passwd": "# comment\nroot:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n",
  "/etc/group": "root:x:0:\naudio:x:29:app\nstaff:x:50:app\napp:x:1000:\n",
};
const read: ReadRootFile = (path) => Promise.resolve(files[path]);
const empty: ReadRootFile = () => Promise.resolve(undefined);

describe("resolveUser", () => {
  const cases: [string, string[], number, number, number[]][] = [
    ["", [], 0, 0, [0]],
    ["app", [], 1000, 1000, [1000, 29, 50]],
    ["1000", [], 1000, 1000, [1000, 29, 50]],
    ["app:", [], 1000, 1000, [1000, 29, 50]],
    ["app", ["77", "audio"], 1000, 1000, [1000, 29, 50, 77, 29]],
    ["1234", [], 1234, 0, [0]],
    ["root:staff", [], 0, 50, [50]],
    ["root:77", [], 0, 77, [77]],
    [":staff", [], 0, 50, [50]],
    ["app:0", ["29"], 1000, 0, [0, 29]],
  ];
  for (const [spec, groupAdd, uid, gid, additionalGids] of cases) {
    it(`resolves ${JSON.stringify(spec)} with ${JSON.stringify(groupAdd)}`, async () => {
      assert.deepEqual(await resolveUser(read, spec, groupAdd), { uid, gid, additionalGids });
    });
  }

  it("needs no files for numbers", async () => {
    assert.deepEqual(await resolveUser(empty, "5:6", ["7"]), { uid: 5, gid: 6, additionalGids: [6, 7] });
  });

  const refused: [string, string[], string][] = [
    ["nouser", [], "unable to find user nouser: no matching entries in passwd file"],
    ["root:nogrp", [], "unable to find group nogrp: no matching entries in group file"],
    ["", ["nogrp"], "unable to find group nogrp: no matching entries in group file"],
    ["4294967296", [], "uids and gids must be in range 0-2147483647"],
    ["-1", [], "uids and gids must be in range 0-2147483647"],
    ["app", ["-77"], "uids and gids must be in range 0-2147483647"],
  ];
  for (const [spec, groupAdd, message] of refused) {
    it(`refuses ${JSON.stringify(spec)} with ${JSON.stringify(groupAdd)}`, async () => {
      await assert.rejects(resolveUser(read, spec, groupAdd), { message });
    });
  }
});
