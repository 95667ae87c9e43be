import assert from "node:assert/strict";
import {
  contains,
  formatAddress,
  formatPrefix,
  masked,
  overlaps,
  parseAddress,
  parsePrefix,
  type Prefix,
} from "./index.ts";

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed, text);
  return parsed;
}

describe("addresses", () => {
  it("reads and writes both families, and nothing else", () => {
    for (const text of ["10.0.0.1", "0.0.0.0", "255.255.255.255", "fd00::1", "::", "2001:db8::8:800:200c:417a"])
      assert.equal(formatAddress(parseAddress(text)!), text);
    for (const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.1", "fe80::1%eth0", "a", "1.2.3.4/8"])
      assert.equal(parseAddress(text), undefined, text);
    for (const text of ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "::/129", "1.2.3.4/8/8", "1.2.3.4/-1"])
      assert.equal(parsePrefix(text), undefined, text);
    assert.equal(formatPrefix(masked(prefix("10.77.3.5/22"))), "10.77.0.0/22");
    assert.ok(contains(prefix("10.0.0.0/8"), parseAddress("10.255.255.255")!));
    assert.ok(!overlaps(prefix("10.0.0.0/9"), prefix("10.128.0.0/9")));
    assert.ok(overlaps(prefix("0.0.0.0/0"), prefix("10.128.0.0/9")));
  });
});
