import assert from "node:assert/strict";
import type { ImageConfig } from "@longshore/docker-api";
import { applyChanges } from "./changes.ts";

describe("applyChanges", () => {
  /** What Docker 28.5 makes of each line. */
  const accepted: [line: string, config: ImageConfig][] = [
    ["CMD", { Cmd: ["/bin/sh", "-c"] }],
    ["CMD sh", { Cmd: ["/bin/sh", "-c", "sh"] }],
    ['CMD ["a", "b c"]', { Cmd: ["a", "b c"] }],
    ['CMD ["a",]', { Cmd: ["/bin/sh", "-c", '["a",]'] }],
    ["cmd a\nENV b=c", { Cmd: ["/bin/sh", "-c", "a"], Env: ["b=c"] }],
    ["ENTRYPOINT ls -l", { Entrypoint: ["/bin/sh", "-c", "ls -l"], Cmd: null }],
    ["ENTRYPOINT []", { Entrypoint: null, Cmd: null }],
    ["ENTRYPOINT", { Entrypoint: null, Cmd: null }],
    ["CMD a\nENTRYPOINT b", { Entrypoint: ["/bin/sh", "-c", "b"], Cmd: ["/bin/sh", "-c", "a"] }],
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
    [
      "HEALTHCHECK --interval=5s --retries=2 CMD true",
      { Healthcheck: { Interval: 5_000_000_000, Retries: 2, Test: ["CMD-SHELL", "true"] } },
    ],
    ['HEALTHCHECK CMD ["true"]', { Healthcheck: { Test: ["CMD", "true"] } }],
    ["# comment\nUSER \\\n  me", { User: "me" }],
    ["USER \\\n# c\n\n me", { User: "me" }],
    ["# escape=`\nUSER a`\n b\\", { User: "a b\\" }],
    ["ENV -- B=1", { Env: ["B=1"] }],
    ["STOPSIGNAL --x=y 99", { StopSignal: "99" }],
    ["EXPOSE 80/", { ExposedPorts: { "80/tcp": {} } }],
    [
      "HEALTHCHECK --interval= --timeout=0 --retries='3' CMD x",
      { Healthcheck: { Retries: 3, Test: ["CMD-SHELL", "x"] } },
    ],
    ["onbuild  RUN   x", { OnBuild: ["RUN   x"] }],
  ];
  for (const [line, config] of accepted) {
    it(`takes ${JSON.stringify(line)}`, () => assert.deepEqual(applyChanges({}, [line]), config));
  }

  const refused: [line: string, message: string][] = [
    ["FOO", "FOO is not a valid change command"],
    ["copy a b", "copy is not a valid change command"],
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
    ["ONBUILD ENV X", "ENV must have two arguments"],
    ["CMD [1]", "when using JSON array syntax, arrays must be comprised of strings only"],
    ["VOLUME []", "VOLUME requires at least one argument"],
    ["ENV --foo=bar A=1", "unknown flag: --foo"],
    ["USER --foo=x me", "unknown flag: --foo"],
    ["HEALTHCHECK --interval CMD x", "missing a value on flag: --interval"],
    ["HEALTHCHECK --interval=1s --interval=2s CMD x", "duplicate flag specified: --interval"],
    ["HEALTHCHECK --interval=1us CMD x", 'Interval "interval" cannot be less than 1ms'],
    ["HEALTHCHECK --retries=99999999999 CMD x", 'strconv.ParseInt: parsing "99999999999": value out of range'],
    ["HEALTHCHECK CMD []", "Missing command after HEALTHCHECK CMD"],
    ["EXPOSE /tcp", "No port specified: /tcp<empty>"],
    ["ENV B=1 C", 'Syntax error - can\'t find = in "C". Must be of the form: name=value'],
    // What is wrong with the syntax of any comes before what is wrong with the instructions, and that before their work.
    ["FOO\nENV A", "ENV must have two arguments"],
    ["ENV B=${\nUSER", "USER requires exactly one argument"],
  ];
  for (const [line, message] of refused) {
    it(`refuses ${JSON.stringify(line)}`, () => assert.throws(() => applyChanges({}, [line]), { message }));
  }

  const container: ImageConfig = {
    Env: ["Z=z", "A=1", "E=", "P=foo/bar/baz.tar.gz", "NL", "PATH=/bin:/x"],
    Labels: { l: "v" },
    WorkingDir: "/w",
    User: "me",
    Volumes: { "/v": {} },
    ExposedPorts: { "80/tcp": {} },
    Entrypoint: ["/ep"],
    Cmd: ["sleep", "9"],
    Shell: ["/bin/ash", "-c"],
  };

  /** What Docker 28.5 expands of `ENV B=…` over that container. */
  const expanded: [text: string, value: string][] = [
    ["$A$A-${A}_-$A_", "11-1_-"],
    ["${A:-x}-${Q:-x}-${E:-x}-${E-x}-${Q-x}", "1-x-x--x"],
    ["${A:+y}-${Q:+y}-${E:+y}-${E+y}-${Q+y}", "y---y-"],
    ["${A:?no}-${E?no}", "1-"],
    ["${P#*/}:${P##*/}:${P%.*}:${P%%.*}", "bar/baz.tar.gz:baz.tar.gz:foo/bar/baz.tar:foo/bar/baz"],
    ["${P#foo}:${P#bar}:${P%gz}:${P%tar}", "/bar/baz.tar.gz:foo/bar/baz.tar.gz:foo/bar/baz.tar.:foo/bar/baz.tar.gz"],
    [
      "${P/o/0}:${P//o/0}:${P/b?r/X}:${P//\\//_}",
      "f0o/bar/baz.tar.gz:f00/bar/baz.tar.gz:foo/X/baz.tar.gz:foo_bar_baz.tar.gz",
    ],
    ["${Q:-${A:-x}}${Q:-\"a b\"}${Q:-'$A'}${Q:-a\\}b}", "1a b$Aa}b"],
    ["$NL-x", "-x"],
    ["$$-$?-$1-$@x-$*-$#-${1}", "---x---"],
    ["\\$A'$A'\"$A\"", "$A$A1"],
    ["é$A$é", "é1"],
    ["<<x<y", "<<x<y"],
  ];
  for (const [text, value] of expanded) {
    it(`expands ${text}`, () => assert.equal(applyChanges(container, [`ENV B=${text}`]).Env?.at(-1), `B=${value}`));
  }

  const notExpanded: [text: string, message: string][] = [
    ["${", "syntax error: missing '}'"],
    ["${}", "syntax error: bad substitution"],
    ["${A", "unsupported modifier (\uFFFD) in substitution"],
    ["${A:}", "syntax error: missing '}'"],
    ["${A:x}", "unsupported modifier (:x) in substitution"],
    ["${A:#x}", "unsupported modifier (:#) in substitution"],
    ["${A^}", "unsupported modifier (^) in substitution"],
    ["${P/a}", "syntax error: missing '/' in ${}"],
    ["${P/a/b", "syntax error: missing '}'"],
    ["${P#\\x}", "invalid pattern (\\x) in substitution: invalid escape '\\x'"],
    ["${Q?}", "Q: is not allowed to be unset"],
    ["${E:?}", "E: is not allowed to be empty"],
    ["${Q:?no}", "Q: no"],
    ['"x', "unexpected end of statement while looking for matching double-quote"],
  ];
  for (const [text, message] of notExpanded) {
    it(`does not expand ${text}`, () =>
      assert.throws(() => applyChanges(container, [`ENV B=${text}`]), {
        message: `failed to process ${JSON.stringify(text)}: ${message}`,
      }));
  }

  /** What Docker 28.5 makes of that container's configuration. */
  const changed: [changes: string[], members: ImageConfig][] = [
    [
      ["ENV PATH=/y:$PATH N=$A A=2"],
      { Env: ["Z=z", "A=2", "E=", "P=foo/bar/baz.tar.gz", "NL", "PATH=/y:/bin:/x", "N=1"] },
    ],
    [["ENV NL=1"], { Env: ["Z=z", "A=1", "E=", "P=foo/bar/baz.tar.gz", "NL=1", "PATH=/bin:/x"] }],
    [
      ["ENV A=5", "ENV $A=$A", "WORKDIR $A", "LABEL q=$A $A=k"],
      {
        Env: ["Z=z", "A=5", "E=", "P=foo/bar/baz.tar.gz", "NL", "PATH=/bin:/x", "5=5"],
        WorkingDir: "/w/5",
        Labels: { l: "v", q: "5", 5: "k" },
      },
    ],
    [["LABEL x $A", "LABEL m='$A'"], { Labels: { l: "v", x: "1", m: "$A" } }],
    [["WORKDIR $P", "WORKDIR .."], { WorkingDir: "/w/foo/bar" }],
    [["USER $A:$A"], { User: "1:1" }],
    [['VOLUME ["$P","/b"]', "VOLUME $A"], { Volumes: { "/v": {}, "foo/bar/baz.tar.gz": {}, "/b": {}, 1: {} } }],
    [["EXPOSE $A $Q"], { ExposedPorts: { "80/tcp": {}, "1/tcp": {} } }],
    [["CMD a $A"], { Cmd: ["/bin/ash", "-c", "a $A"] }],
    [["ENTRYPOINT b"], { Entrypoint: ["/bin/ash", "-c", "b"], Cmd: null }],
    [["ENTRYPOINT b", "CMD []"], { Entrypoint: ["/bin/ash", "-c", "b"], Cmd: [] }],
    [["ENV N=5 \\", "M=$A"], { Env: [...(container.Env ?? []), "N=5", "M=1"] }],
    [["", "USER x"], { User: "x" }],
  ];
  for (const [changes, members] of changed) {
    it(`applies ${JSON.stringify(changes)} to what a container has`, () =>
      assert.deepEqual(applyChanges(container, changes), { ...container, ...members }));
  }

  it("expands no more than a configuration may hold, and matches patterns in linear time", () => {
    const doubling = Array.from({ length: 60 }, () => "ENV A=$A$A");
    assert.throws(() => applyChanges({ Env: ["A=0123456789abcdef"] }, doubling), {
      message: /expand to too much/,
    });
    assert.throws(() => applyChanges({}, [`ENV A=${"${A:-".repeat(5000)}`]), { message: /nested too deeply|missing/ });
    const start = performance.now();
    applyChanges({ Env: [`A=${"a".repeat(5000)}`] }, [`ENV B=\${A##${"*a".repeat(40)}b}`]);
    assert.ok(performance.now() - start < 5000);
  });

  it("leaves the given configuration alone", () => {
    const config: ImageConfig = { Env: ["A=1"], Labels: { a: "b" } };
    assert.deepEqual(applyChanges(config, ["ENV A=2 B=3", "LABEL c=d"]), {
      Env: ["A=2", "B=3"],
      Labels: { a: "b", c: "d" },
    });
    assert.deepEqual(config, { Env: ["A=1"], Labels: { a: "b" } });
  });
});
