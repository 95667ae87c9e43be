import assert from "node:assert/strict";
import { baseHosts, extraHostLines, hostNames, ownLines, renderHosts, withoutLines } from "./hosts.ts";

describe("hosts", () => {
  it("has the container's own names and the extra ones", () => {
    assert.equal(hostNames("hh", "dd.com"), "hh.dd.com hh");
    assert.equal(hostNames("hh.dd.com", ""), "hh.dd.com hh");
    assert.equal(hostNames("hh", ""), "hh");
    const extra = extraHostLines(["foo:1.2.3.4", "gw:host-gateway", "six:[::5]"], ["172.30.0.1"]);
    const content = renderHosts(extra, ownLines(["172.30.0.2"], "hh"), baseHosts(false));
    assert.ok(content.endsWith("ff02::2\tip6-allrouters\n1.2.3.4\tfoo\n172.30.0.1\tgw\n::5\tsix\n172.30.0.2\thh\n"));
    assert.throws(() => extraHostLines(["gw:host-gateway"], []), /unable to derive the IP value for host-gateway/);
    assert.equal(
      renderHosts(extraHostLines(["foo:1.2.3.4", "six:FD00:0::5"], [], true), "", baseHosts(true)),
      "127.0.0.1\tlocalhost\n1.2.3.4\tfoo\n",
    );
    assert.equal(extraHostLines(["six:FD00:0::5"], []), "fd00::5\tsix\n");
    assert.ok(withoutLines(content, "172.30.0.2\thh\n").endsWith("::5\tsix\n"));
  });
});
