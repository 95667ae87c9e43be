import { InvalidArgument } from "@longshore/errdefs";

/** What else Docker's tags can name; it is left as it stands. */
const otherFields = new Set([
  "Config",
  "ContainerID",
  "ContainerName",
  "ContainerEntrypoint",
  "ContainerArgs",
  "ContainerImageID",
  "ContainerImageName",
  "ContainerCreated",
  "ContainerEnv",
  "ContainerLabels",
  "LogPath",
  "ExtraAttributes",
  "ImageFullID",
  "Hostname",
]);
const functions = new Set([
  ...[
    "json",
    "split",
    "join",
    "title",
    "lower",
    "upper",
    "pad",
    "truncate",
    "and",
    "or",
    "not",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "call",
  ],
  ...[
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "if",
    "else",
    "range",
    "with",
    "template",
    "block",
    "define",
    "break",
    "continue",
    "nil",
    "true",
    "false",
  ],
]);

/**
 * Replaces the placeholders of a log's tag.
 * @throws InvalidArgument with the words of Go's templates
 */
export function expandTag(template: string, values: Readonly<Record<string, string>>): string {
  const refuse = (why: string) => new InvalidArgument(`template: log-tag:1${why}`);
  const rest = template.replaceAll(/\{\{[^]*?\}\}/g, "");
  if (rest.includes("{{/*")) throw refuse(": unclosed comment");
  if (rest.includes("{{")) throw refuse(": unclosed action");
  return template.replaceAll(/\{\{-?\s*([^]*?)\s*-?\}\}/g, (whole, action: string, offset: number) => {
    const [, field] = /^\.(\w+)$/.exec(action) ?? [];
    if (field === undefined) {
      const [name] = /^[a-z]\w*/.exec(action) ?? [];
      if (name === "end") throw refuse(": unexpected {{end}}");
      if (name !== undefined && !functions.has(name)) throw refuse(`: function ${JSON.stringify(name)} not defined`);
      return whole;
    }
    const value = Object.hasOwn(values, field) ? values[field] : undefined;
    if (value !== undefined) return value;
    if (otherFields.has(field)) return whole;
    throw refuse(
      `:${offset + whole.indexOf(".")}: executing "log-tag" at <.${field}>: can't evaluate field ${field} in type *logger.Info`,
    );
  });
}
