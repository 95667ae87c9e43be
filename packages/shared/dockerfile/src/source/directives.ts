/** A parser directive: `# name=value` in the first lines of a Dockerfile. */
export interface Directive {
  name: "syntax" | "escape" | "check";
  value: string;
  line: number;
}

const form = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const known = new Set(["syntax", "escape", "check"]);

/**
 * Takes the lines of a Dockerfile in order. The first that is no directive ends them: an instruction, an empty line,
 * a usual comment or an unknown name (Dockerfile reference, "Parser directives").
 */
export class DirectiveReader {
  private readonly comment: string;
  private readonly seen = new Set<string>();
  private done = false;
  private line: number;

  constructor(comment = "#", line = 0) {
    this.comment = comment;
    this.line = line;
  }

  get ended(): boolean {
    return this.done;
  }

  /** @throws Error when a directive stands there for a second time */
  read(line: string): Directive | undefined {
    this.line++;
    if (this.done) return undefined;
    const match = line.startsWith(this.comment) ? form.exec(line.slice(this.comment.length).trimStart()) : null;
    const name = match?.[1]?.toLowerCase() ?? "";
    if (match === null || !known.has(name)) {
      this.done = true;
      return undefined;
    }
    if (this.seen.has(name)) throw new Error(`only one ${name} parser directive can be used`);
    this.seen.add(name);
    return { name: name as Directive["name"], value: match[2] ?? "", line: this.line };
  }
}

/** What `syntax` names: the image of a front end, the whole value, and the line. */
export interface Syntax {
  reference: string;
  commandLine: string;
  line: number;
}

/**
 * The front end that a build file asks for: `# syntax=`, and for other languages `// syntax=` or the member `syntax`
 * of a JSON document. A first line `#!` is passed over.
 */
export function detectSyntax(text: string): Syntax | undefined {
  let body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let line = 0;
  if (body.startsWith("#!")) {
    const end = body.indexOf("\n");
    body = end < 0 ? "" : body.slice(end + 1);
    line = 1;
  }
  for (const comment of ["#", "//"]) {
    const value = findDirective("syntax", body, new DirectiveReader(comment, line));
    if (value !== undefined) return { reference: firstWord(value.value), commandLine: value.value, line: value.line };
  }
  try {
    const { syntax } = JSON.parse(body) as { syntax?: unknown };
    if (typeof syntax === "string") return { reference: syntax, commandLine: syntax, line };
  } catch {
    // No JSON: then nothing names a front end.
  }
  return undefined;
}

/** The value of `# check=`. */
export function detectCheck(text: string): Directive | undefined {
  return findDirective("check", text.startsWith("\uFEFF") ? text.slice(1) : text, new DirectiveReader());
}

function findDirective(name: Directive["name"], text: string, reader: DirectiveReader): Directive | undefined {
  for (let at = 0; at < text.length && !reader.ended;) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? undefined : end).replace(/\r$/, "");
    at = end < 0 ? text.length : end + 1;
    try {
      const directive = reader.read(line);
      if (directive?.name === name) return directive;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function firstWord(value: string): string {
  return value.split(" ", 1)[0] ?? "";
}
