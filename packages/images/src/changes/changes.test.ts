import assert from "node:assert/strict";
import type { ImageConfig } from "@longshore/api";
import { applyChanges } from "./changes.ts";

describe("applyChanges", () => {
  /** What Docker 28.5 makes of each line. */
  const accepted: [line: string, config: ImageConfig][] = [
    ["CMD", { Cmd: ["/bin/sh", "-c"] }],
    ["CMD sh", { Cmd: ["/bin/sh", "-c", "sh"] }],
    ['CMD ["a", "b c"]', { Cmd: ["a", "b c"] }],
    ['CMD ["a",]', { Cmd: ["/bin/sh", "-c", '["a",]'] }],
    ["cmd a\nENV b=c", { Cmd: ["/bin/sh", "-c", "a"], Env: ["b=c"] }],
    ["ENTRYPOINT ls -l", { Entrypoint: ["/bin/sh", "-c", "ls -l"] }],
    ["ENTRYPOINT []", { Entrypoint: null }],
    ["ENV X y z", { Env: ["X=y z"] }],
    ['ENV P=1 Q="2 3" R=a\\ b', { Env: ["P=1", "Q=2 3", "R=a b"] }],
    ["ENV A=1\nENV B=$A-${A:-x}-${C:-x}-${A:+y} A=2", { Env: ["A=2", "B=1-1-x-y"] }],
    ["ENV A=$PATH", { Env: ["A="] }],
    ['ENV "a b"=c', { Env: ["a b=c"] }],
    ["EXPOSE 80 90/udp", { ExposedPorts: { "80/tcp": {}, "90/udp": {} } }],
    ["EXPOSE 80-82/tcp", { ExposedPorts: { "80/tcp": {}, "81/tcp": {}, "82/tcp": {} } }],
    ['LABEL a=b c="d e"', { Labels: { a: "b", c: "d e" } }],
    ["LABEL 'x y'=z", { Labels: { "x y": "z" } }],
    ["ONBUILD RUN ls", { OnBuild: ["RUN ls"] }],
    ["USER a b", { User: "a b" }],
    ["USER $FOO", { User: "" }],
    ['VOLUME ["/a","b"]', { Volumes: { "/a": {}, b: {} } }],
    ["VOLUME /x /y", { Volumes: { "/x": {}, "/y": {} } }],
    ["WORKDIR /w\nWORKDIR v", { WorkingDir: "/w/v" }],
    ["STOPSIGNAL SIGUSR1", { StopSignal: "SIGUSR1" }],
    ["STOPSIGNAL 9", { StopSignal: "9" }],
    ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
    ["HEALTHCHECK --interval=5s --retries=2 CMD true", { Healthcheck: { Interval: 5_000_000_000, Retries: 2, Test: ["CMD-SHELL", "true"] } }],
    ['HEALTHCHECK CMD ["true"]', { Healthcheck: { Test: ["CMD", "true"] } }],
    ["# comment\nUSER \\\n  me", { User: "me" }],
  ];
  for (const [line, config] of accepted) {
    it(`takes ${JSON.stringify(line)}`, () => assert.deepEqual(applyChanges({}, [line]), config));
  }

  const refused: [line: string, message: string][] = [
    ["FOO", "FOO is not a valid change command"],
    ["copy a b", "COPY is not a valid change command"],
    ["#c", "file with no instructions"],
    ["ENV A", "ENV must have two arguments"],
    ["ENV =x", "ENV names can not be blank"],
    ["EXPOSE abc", "Invalid containerPort: abc"],
    ["EXPOSE", "EXPOSE requires at least one argument"],
    ["LABEL", "LABEL requires at least one argument"],
    ["LABEL x", "LABEL must have two arguments"],
    ["HEALTHCHECK FOO", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
    ["HEALTHCHECK --interval=x CMD a", 'time: invalid duration "x"'],
    ["STOPSIGNAL FOO", "invalid signal: FOO"],
    ["STOPSIGNAL", "STOPSIGNAL requires exactly one argument"],
    ["WORKDIR", "WORKDIR requires exactly one argument"],
    ["USER", "USER requires exactly one argument"],
    ["VOLUME", "VOLUME requires at least one argument"],
    ["ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"],
    ["ONBUILD ONBUILD RUN", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ];
  for (const [line, message] of refused) {
    it(`refuses ${JSON.stringify(line)}`, () => assert.throws(() => applyChanges({}, [line]), { message }));
  }

  it("leaves the given configuration alone", () => {
    const config: ImageConfig = { Env: ["A=1"], Labels: { a: "b" } };
    assert.deepEqual(applyChanges(config, ["ENV A=2 B=3", "LABEL c=d"]), { Env: ["A=2", "B=3"], Labels: { a: "b", c: "d" } });
    assert.deepEqual(config, { Env: ["A=1"], Labels: { a: "b" } });
  });
});
