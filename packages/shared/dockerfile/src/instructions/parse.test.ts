import assert from "node:assert/strict";
import { type LintWarning, Linter, defaultLintOptions, parseLintOptions } from "../lint/linter.ts";
import { parseSource } from "../source/parse.ts";
import { SourceError } from "../source/source-error.ts";
import type { Instruction } from "./instruction.ts";
import { parseInstruction, parseInstructions } from "./parse.ts";
import { mountSource, parseRunMount } from "./run-mount.ts";

const one = (text: string): Instruction => {
  const [statement] = parseSource(text).statements;
  assert.ok(statement);
  return parseInstruction(statement);
};

describe("instructions of a Dockerfile", () => {
  it("divides a file into stages with names and descriptions", () => {
    const text = "# v the version\nARG v=1\n# base is first\nFROM a:$v AS Base\nRUN x\nFROM --platform=p base\nCMD y";
    const { globals, stages } = parseInstructions(parseSource(text), new Linter(defaultLintOptions, () => {}));
    assert.deepEqual(globals[0]?.arguments, [{ name: "v", value: "1", description: "the version" }]);
    assert.deepEqual(
      stages.map(({ name, base, platform, description, instructions }) => [
        ...[name, base, platform, description],
        ...instructions.map(({ kind }) => kind),
      ]),
      [
        ["base", "a:$v", "", "is first", "run"],
        ["", "base", "p", "", "cmd"],
      ],
    );
  });

  it("reads what each takes", () => {
    const add = one("ADD --keep-git-dir --checksum=sha256:x --exclude=a --exclude=b --unpack=false s t /d");
    assert.ok(add.kind === "add");
    assert.deepEqual(
      [add.sources, add.destination, add.keepGitDir, add.unpack, add.exclude, add.checksum],
      [["s", "t"], "/d", true, false, ["a", "b"], "sha256:x"],
    );
    const copy = one("COPY <<-A <<'B' c /d/\n\tone\nA\n$two\nB");
    assert.ok(copy.kind === "copy");
    assert.deepEqual(
      [copy.sources, copy.inline],
      [
        ["c"],
        [
          { path: "A", content: "one\n", expand: true },
          { path: "B", content: "$two\n", expand: false },
        ],
      ],
    );
    const run = one("RUN --mount=target=/x --network=none --device=a/b=c,required echo hi");
    assert.ok(run.kind === "run");
    assert.deepEqual(
      [run.command, run.mounts, run.network, run.security, run.devices, run.flagsUsed],
      [
        { values: ["echo hi"], shell: true, files: [] },
        ["target=/x"],
        "none",
        "sandbox",
        [{ name: "a/b=c", required: true }],
        ["mount", "network", "device"],
      ],
    );
    const onbuild = one("ONBUILD  COPY <<E /x\ny\nE");
    assert.ok(onbuild.kind === "onbuild");
    assert.equal(onbuild.expression, "COPY <<E /x\ny\nE");
    const health = one("HEALTHCHECK --interval=1m30s --retries=3 CMD curl x");
    assert.ok(health.kind === "healthcheck");
    assert.deepEqual(health.healthcheck, {
      test: ["CMD-SHELL", "curl x"],
      interval: 90_000_000_000,
      timeout: 0,
      startPeriod: 0,
      startInterval: 0,
      retries: 3,
    });
  });

  const refused: [text: string, message: string][] = [
    ["FOO x", "unknown instruction: FOO (did you mean FROM?)"],
    ["COPPY a b", "unknown instruction: COPPY (did you mean COPY?)"],
    ["entrypont a", "unknown instruction: entrypont (did you mean entrypoint?)"],
    ["COPY a", "COPY requires at least two arguments, but only one was provided. Destination could not be determined"],
    ["COPY a <<E\nE", "COPY cannot accept a heredoc as a destination"],
    ["COPY --form=x a b", "unknown flag: --form (did you mean from?)"],
    ["COPY --link --link a b", "duplicate flag specified: --link"],
    ["COPY --link=maybe a b", "expecting boolean value for flag --link, not: maybe"],
    ["COPY --chown a b", "missing a value on flag: --chown"],
    ["FROM a b c d", "FROM requires either one or three arguments"],
    ["FROM a AS 1x", 'invalid name for build stage: "1x", name can\'t start with a number or contain symbols'],
    ["RUN --network=x y", 'invalid network mode "x"'],
    ["RUN --security=x y", 'security "x" is not valid'],
    ["RUN --mount=from=$x y", "'from' doesn't support variable expansion, define alias stage instead"],
    ["ONBUILD FROM a", "FROM isn't allowed as an ONBUILD trigger"],
    ["SHELL sh -c", "SHELL requires the arguments to be in JSON form"],
    ["SHELL []", "SHELL requires at least one argument"],
    ["MAINTAINER --boo me", "unknown flag: --boo"],
    ["HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
    ["HEALTHCHECK --timeout=1us CMD x", 'Interval "timeout" cannot be less than 1ms'],
    ["LABEL =x", "LABEL names can not be blank"],
  ];
  for (const [text, message] of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const parse = (): unknown =>
        text.startsWith("FROM")
          ? parseInstructions(parseSource(text), new Linter(defaultLintOptions, () => {}))
          : one(text);
      assert.throws(parse, (error: Error) => {
        assert.ok(error instanceof SourceError);
        assert.equal(error.message.replace("dockerfile parse error on line 1: ", ""), message);
        return true;
      });
    });
  }

  it("reads mounts when their variables are known", () => {
    const expand = (word: string): string => word.replace("$T", "/t");
    assert.equal(mountSource("type=bind,from=base,source=$x"), "base");
    const mount = parseRunMount('type=cache,"target=$T,a",id=c,sharing=Locked,mode=0755,uid=1', expand);
    assert.deepEqual(
      [mount.type, mount.target, mount.id, mount.sharing, mount.mode, mount.uid, mount.readonly],
      ["cache", "/t,a", "c", "locked", 0o755, 1, false],
    );
    assert.equal(parseRunMount("target=/x", expand).readonly, true);
    assert.equal(parseRunMount("target=/x,rw", expand).readonly, false);
    assert.equal(parseRunMount("type=tmpfs,target=/x,size=1.5m", expand).size, 1_572_864);
  });

  const badMounts: [text: string, message: string][] = [
    ["type=bnid", 'unsupported mount type "bnid" (did you mean bind?)'],
    ["type=bind,required", "unexpected key 'required' for mount type 'bind'"],
    ["type=secret,form=x", "unexpected key 'form' in 'form=x' (did you mean from?)"],
    ["type=secret", "invalid secret mount. one of source, target required"],
    ["type=bind,mode=7", 'mode not allowed for "bind" type mounts'],
    ["type=cache,mode=9", "invalid value 9 for mode"],
    ["type=bind,sharing=locked", "invalid cache sharing set for bind mount"],
    ["target", "invalid field 'target' must be a key=value pair"],
    ['a"b', 'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted-field'],
  ];
  for (const [text, message] of badMounts) {
    it(`refuses the mount ${text}`, () => assert.throws(() => parseRunMount(text, (word) => word), { message }));
  }
});

describe("lint rules of a Dockerfile", () => {
  const warningsOf = (text: string, options = ""): string[] => {
    const warnings: LintWarning[] = [];
    parseInstructions(parseSource(text), new Linter(parseLintOptions(options), (warning) => warnings.push(warning)));
    return warnings.map(({ rule, message, lines }) => `${lines.start} ${rule}: ${message}`);
  };

  it("tells what it finds, unless switched off for the file or the instruction", () => {
    const text = "FROM a as B\nMAINTAINER me";
    assert.deepEqual(warningsOf(text), [
      "1 StageNameCasing: Stage name 'B' should be lowercase",
      "1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match",
      "2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label",
    ]);
    assert.deepEqual(warningsOf(text, "skip=StageNameCasing,FromAsCasing").length, 1);
    assert.deepEqual(warningsOf(text, "skip=all"), []);
    assert.equal(warningsOf("FROM a\n# check=skip=MaintainerDeprecated\nMAINTAINER me").length, 0);
    assert.deepEqual(
      warningsOf("FROM a\n# about\nARG x", "experimental=all"),
      ["2 InvalidDefinitionDescription: Comment for ARG should follow the format: `# x <description>`"].map((line) =>
        line.replace("2 ", "3 "),
      ),
    );
  });

  it("fails a build that is not to have warnings", () => {
    const linter = new Linter(parseLintOptions("error=true"), () => {});
    assert.equal(linter.failure, undefined);
    linter.forComments(["check=skip=StageNameCasing"]).report("MaintainerDeprecated", { start: 1, end: 1 });
    assert.equal(
      (linter.failure as Error | undefined)?.message,
      "lint violation found for rules: MaintainerDeprecated",
    );
    assert.throws(() => parseLintOptions("skip"), { message: 'invalid check option "skip"' });
    assert.throws(() => parseLintOptions("error=x"), /failed to parse check option/);
  });
});
