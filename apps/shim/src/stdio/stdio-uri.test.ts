import assert from "node:assert/strict";
import { parseStdio } from "./stdio-uri.ts";

describe("stdio URIs", () => {
  it("tell the standard forms apart", () => {
    assert.deepEqual(parseStdio(""), { scheme: "null" });
    assert.deepEqual(parseStdio("/run/fifo/x-stdout"), { scheme: "fifo", path: "/run/fifo/x-stdout" });
    assert.deepEqual(parseStdio("fifo:///run/x"), { scheme: "fifo", path: "/run/x" });
    assert.deepEqual(parseStdio("file:///var/log/a%20b"), { scheme: "file", path: "/var/log/a b" });
    assert.deepEqual(parseStdio("binary:///bin/log?a=1&b=&a=2"), {
      scheme: "binary",
      path: "/bin/log",
      args: ["a", "1", "b", ""],
      needsByte: false,
    });
    assert.throws(() => parseStdio("npipe://x"), { name: "InvalidArgument" });
  });

  it("read the engine's own form", () => {
    const query = new URLSearchParams({
      attach: "/run/a.sock",
      "max-size": "1024",
      "max-file": "3",
      compress: "true",
      attrs: '{"z":"1","a":"<2>"}',
      "stdin-once": "true",
    });
    assert.deepEqual(parseStdio(`longshore:///var/c-json.log?${query}`), {
      scheme: "longshore",
      attach: "/run/a.sock",
      stdinOnce: true,
      log: {
        path: "/var/c-json.log",
        maxSize: 1024,
        maxFiles: 3,
        compress: true,
        keepBytes: false,
        attrs: '{"a":"<2>","z":"1"}',
      },
    });
    assert.deepEqual(parseStdio("longshore://?attach=/run/a.sock"), {
      scheme: "longshore",
      attach: "/run/a.sock",
      stdinOnce: false,
    });
    assert.deepEqual(parseStdio("longshore:///x?driver=none"), { scheme: "longshore", attach: "", stdinOnce: false });
    assert.deepEqual(parseStdio("longshore:///x?driver=local"), {
      scheme: "longshore",
      attach: "",
      stdinOnce: false,
      log: { path: "/x", compress: true, keepBytes: true, maxFiles: 5, maxSize: 20 << 20 },
    });
  });

  it("refuse what cannot be meant", () => {
    for (const bad of [
      "longshore:///x?max-size=big",
      "longshore:///x?max-file=0",
      "longshore:///x?attrs=1",
      "longshore:///x?attrs={",
      "longshore:///x?driver=syslog",
      "longshore://x",
      `longshore:///x?attach=/${"a".repeat(107)}`,
      "longshore:///x?attach=a",
    ])
      assert.throws(() => parseStdio(bad), { name: "InvalidArgument" }, bad);
  });
});
