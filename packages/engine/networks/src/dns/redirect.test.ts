import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNetns, removeNetns } from "@longshore/sys";
import { run } from "../run.ts";
import { redirectDns } from "./redirect.ts";

describe("leading a container's queries to the DNS server", () => {
  let dir: string;
  let netns: string;
  const listed = () => run("nsenter", [`--net=${netns}`, "nft", "-y", "list", "ruleset"]);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "longshore-redirect-"));
    netns = join(dir, "ns");
    createNetns(netns);
  });
  afterEach(() => {
    removeNetns(netns);
    rmSync(dir, { recursive: true });
  });

  const rules = (udp: number, tcp: number) => `table ip longshore {
\tchain output {
\t\ttype nat hook output priority -100; policy accept;
\t\tip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:${udp}
\t\tip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:${tcp}
\t}
}
`;

  it("sets rules that nft reads as they are meant", async () => {
    await redirectDns(netns, { udp: 40001, tcp: 40002 }, false);
    assert.equal(await listed(), rules(40001, 40002));
  });

  it("replaces earlier rules, and does without them", async () => {
    await redirectDns(netns, { udp: 1, tcp: 2 }, true);
    await redirectDns(netns, { udp: 3, tcp: 65535 }, true);
    assert.equal(await listed(), rules(3, 65535));
  });

  it("changes nothing when a part is refused", async () => {
    await run(
      "nsenter",
      [`--net=${netns}`, "nft", "-f", "-"],
      "table ip longshore {\n chain output {\n type filter hook input priority 0;\n }\n}\n",
    );
    const before = await listed();
    await assert.rejects(redirectDns(netns, { udp: 3, tcp: 4 }, false), /adding the chain output: /);
    assert.equal(await listed(), before);
  });
});
