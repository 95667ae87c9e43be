import type { Linter } from "../lint/linter.ts";
import type { Statement } from "../source/statement.ts";

/** What a comment right above says of `name`: `# name description`. */
export function descriptionOf(statement: Statement, name: string): string {
  if (name === "") return "";
  const comment = statement.comments.find((line) => line.startsWith(`${name} `));
  return comment?.slice(name.length + 1) ?? "";
}

/** The last comment above should describe one of `names`. */
export function checkDescription(statement: Statement, linter: Linter, names: string[]): void {
  const last = statement.comments.at(-1);
  const [first = ""] = names;
  if (last === undefined || names.length === 0 || names.includes(last.split(" ", 1)[0] ?? "")) return;
  const keyword = statement.keyword.toUpperCase();
  linter.report("InvalidDefinitionDescription", statement.lines, keyword, names.length > 1 ? "<arg_key>" : first);
}
