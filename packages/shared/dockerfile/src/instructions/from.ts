import { quoteText } from "@longshore/go-values";
import type { Linter } from "../lint/linter.ts";
import type { Statement } from "../source/statement.ts";
import { common, valuesOf } from "./common.ts";
import { checkDescription, descriptionOf } from "./description.ts";
import { readFlags } from "./flags.ts";
import type { Stage } from "./instruction.ts";

/** `FROM [--platform=P] base [AS name]`. */
export function readFrom(statement: Statement, linter: Linter): Stage {
  const words = valuesOf(statement.arguments);
  const [base = "", as = "", written = ""] = words;
  if (words.length === 3 && written !== written.toLowerCase()) {
    linter.report("StageNameCasing", statement.lines, written);
  }
  const { keyword } = statement;
  const lower = keyword === keyword.toLowerCase();
  if (words.length >= 3 && (lower || keyword === keyword.toUpperCase())) {
    if (as !== (lower ? as.toLowerCase() : as.toUpperCase())) {
      linter.report("FromAsCasing", statement.lines, keyword, as);
    }
  }
  let name = "";
  if (words.length === 3 && as.toLowerCase() === "as") {
    name = written.toLowerCase();
    if (!/^[a-z][a-z0-9-_.]*$/.test(name)) {
      throw new Error(
        `invalid name for build stage: ${quoteText(written)}, name can't start with a number or contain symbols`,
      );
    }
  } else if (words.length !== 1) throw new Error("FROM requires either one or three arguments");
  const { platform = "" } = readFlags(statement.flags, { platform: "string" });
  if (name !== "") checkDescription(statement, linter, [name]);
  return { ...common(statement), name, base, platform, description: descriptionOf(statement, name), instructions: [] };
}
