import assert from "node:assert/strict";
import { parseUrl, splitHostPort } from "./url.ts";

describe("addresses of log servers", () => {
  const urls: [text: string, parts: readonly [scheme: string, host: string, path: string]][] = [
    ["tcp://a:1", ["tcp", "a:1", ""]],
    ["TCP+TLS://[::1]:1/", ["tcp+tls", "[::1]:1", "/"]],
    ["unix:///dev/l%6fg", ["unix", "", "/dev/log"]],
    ["udp://user:pw@h", ["udp", "h", ""]],
    ["a:b:c", ["a", "", ""]],
    ["x", ["", "", "x"]],
    ["/x", ["", "", "/x"]],
  ];
  for (const [text, parts] of urls) {
    it(`${text} is split as by Go`, () => {
      const { host, path, scheme } = parseUrl(text);
      assert.deepEqual([scheme, host, path], parts);
    });
  }

  // What Go 1.24's url.Parse and net.SplitHostPort say.
  const broken: [text: string, message: string][] = [
    [":::", 'parse ":::": missing protocol scheme'],
    ["tcp://a:b", 'parse "tcp://a:b": invalid port ":b" after host'],
    ["tcp://%zz", 'parse "tcp://%zz": invalid URL escape "%zz"'],
    ["unix:///%2", 'parse "unix:///%2": invalid URL escape "%2"'],
    ["1:2", 'parse "1:2": first path segment in URL cannot contain colon'],
    ["a\nb", 'parse "a\\nb": net/url: invalid control character in URL'],
    ["tcp://[::1", "parse \"tcp://[::1\": missing ']' in host"],
  ];
  for (const [text, message] of broken) {
    it(`${JSON.stringify(text)} is refused in Go's words`, () => assert.throws(() => parseUrl(text), { message }));
  }

  it("host and port", () => {
    assert.deepEqual(splitHostPort("[::1]:5"), { host: "::1", port: "5" });
    assert.deepEqual(splitHostPort(":5"), { host: "", port: "5" });
    for (const [address, why] of [
      ["a", "missing port in address"],
      ["::1", "too many colons in address"],
      ["[::1", "missing ']' in address"],
      ["[::1]", "missing port in address"],
      ["[::1]:1:2", "too many colons in address"],
    ])
      assert.throws(() => splitHostPort(address ?? ""), { message: `address ${address}: ${why}` });
  });
});
