import assert from "node:assert/strict";
import { fuzz } from "@longshore/fuzz";
import type { Arguments } from "./arguments.ts";
import { detectCheck, detectSyntax } from "./directives.ts";
import { parseSource } from "./parse.ts";
import { SourceError } from "./source-error.ts";

describe("source of a Dockerfile", () => {
  const onlyArguments = (text: string): Arguments | undefined => parseSource(text).statements[0]?.arguments;

  it("joins continued lines, drops comments and empty lines within, and tells the lines", () => {
    const { statements, warnings } = parseSource(
      "\uFEFF# about this\n\n  FROM a \\\n# no part\n   AS b\n\nRUN x \\\n\n  y\nRUN c\\\\\nCMD d \\",
    );
    assert.deepEqual(
      statements.map(({ original, lines }) => [original, lines.start, lines.end]),
      [
        ["FROM a    AS b", 3, 5],
        ["RUN x   y", 7, 9],
        ["RUN c\\\\", 10, 10],
        ["CMD d ", 11, 11],
      ],
    );
    assert.deepEqual(statements[0]?.comments, ["about this"]);
    assert.deepEqual(
      warnings.map(({ short, lines }) => [short, lines.end]),
      [["Empty continuation line found in: RUN x   y", 9]],
    );
  });

  it("reads arguments by the instruction's form", () => {
    assert.deepEqual(onlyArguments('CMD ["a", "b"]'), { form: "exec", values: ["a", "b"] });
    assert.deepEqual(onlyArguments("ENTRYPOINT []random"), { form: "text", text: "[]random" });
    assert.deepEqual(onlyArguments("COPY  a\tb /c"), { form: "words", values: ["a", "b", "/c"] });
    assert.deepEqual(onlyArguments('ARG a="b c" d'), { form: "words", values: ['a="b c"', "d"] });
    assert.deepEqual(onlyArguments("ENV a=b\\ c d='e f'"), {
      form: "pairs",
      pairs: [
        { key: "a", value: "b\\ c", spaced: false },
        { key: "d", value: "'e f'", spaced: false },
      ],
    });
    assert.deepEqual(onlyArguments("LABEL a  b c"), {
      form: "pairs",
      pairs: [{ key: "a", value: "b c", spaced: true }],
    });
    assert.deepEqual(onlyArguments('HEALTHCHECK CMD ["x"]'), {
      form: "health",
      type: "CMD",
      test: { form: "exec", values: ["x"] },
    });
  });

  it("takes flags, quoted or not, up to the first word that is none or a lone --", () => {
    const flags = (text: string): unknown => {
      const [statement] = parseSource(text).statements;
      return [statement?.flags, statement?.arguments];
    };
    assert.deepEqual(flags('COPY --from="a b" --link --chown=ü x y'), [
      ["--from=a b", "--link", "--chown=ü"],
      { form: "words", values: ["x", "y"] },
    ]);
    assert.deepEqual(flags("RUN --network=none -- --x"), [["--network=none"], { form: "text", text: "--x" }]);
  });

  it("reads here-documents, also within ONBUILD, and leaves those of the exec form alone", () => {
    const { statements } = parseSource(
      'COPY <<A <<-"B" /x\n$one\nA\n\ttwo\n\tB\nONBUILD RUN <<E\nthree\nE\nRUN 5<<F <<<g cat\nF\nCMD <<H',
    );
    assert.deepEqual(
      statements.map(({ heredocs }) => heredocs),
      [
        [
          { name: "A", fileDescriptor: 0, expand: true, chomp: false, content: "$one\n" },
          { name: "B", fileDescriptor: 0, expand: false, chomp: true, content: "\ttwo\n" },
        ],
        [{ name: "E", fileDescriptor: 0, expand: true, chomp: false, content: "three\n" }],
        [{ name: "F", fileDescriptor: 5, expand: true, chomp: false, content: "" }],
        [],
      ],
    );
  });

  const refused: [text: string, message: string, line: number][] = [
    ["", "file with no instructions", 0],
    ["# only\n\n# comments", "file with no instructions", 3],
    ["FROM a\nENV x", "ENV must have two arguments", 2],
    ["FROM a\nENV x=1 y", 'Syntax error - can\'t find = in "y". Must be of the form: name=value', 2],
    ['CMD ["a", 1]', "when using JSON array syntax, arrays must be comprised of strings only", 1],
    ["# escape=x\nFROM a", "invalid escape token 'x' does not match ` or \\", 0],
    ["# escape=`\n# escape=`\nFROM a", "only one escape parser directive can be used", 1],
    ["FROM a\nRUN <<E\nx", "unterminated heredoc", 2],
    [`FROM a\nRUN ${"x".repeat(70_000)}`, "dockerfile line greater than max allowed size of 65535", 1],
  ];
  for (const [text, message, line] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () =>
      assert.throws(
        () => parseSource(text),
        (error: Error) => {
          assert.ok(error instanceof SourceError);
          assert.deepEqual([error.message, error.locations[0]?.start], [message, line]);
          return true;
        },
      ));
  }

  it("finds the front end that is asked for, in any of the three ways", () => {
    assert.deepEqual(detectSyntax("# syntax = a/b:1 extra\nFROM x"), {
      reference: "a/b:1",
      commandLine: "a/b:1 extra",
      line: 1,
    });
    assert.equal(detectSyntax("#!/usr/bin/env x\n//syntax=c\n{}")?.reference, "c");
    assert.equal(detectSyntax('{"syntax": "d"}')?.reference, "d");
    assert.equal(detectSyntax("FROM x\n# syntax=e"), undefined);
    assert.equal(detectCheck("# escape=`\n# check=skip=all\nFROM x")?.value, "skip=all");
  });

  it("answers any text with statements or a SourceError", () =>
    fuzz(2000, (random) => {
      const pieces = [
        "FROM a",
        "RUN ",
        "ENV ",
        "<<E",
        "E\n",
        "\\\n",
        "\n",
        '["x"]',
        "# escape=`\n",
        "--f='",
        "`",
        "$",
        "=",
        " ",
      ];
      const [first = "", ...others] = pieces;
      const text = Array.from({ length: random.int(0, 12) }, () => random.pick([first, ...others])).join("");
      try {
        parseSource(text);
      } catch (error) {
        assert.ok(error instanceof SourceError, `${JSON.stringify(text)}: ${String(error)}`);
      }
    }));
});
