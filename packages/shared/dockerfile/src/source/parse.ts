import { DirectiveReader } from "./directives.ts";
import { heredocsOf } from "./heredoc.ts";
import { type Lines, SourceError, located } from "./source-error.ts";
import { type Statement, mayHoldHeredocs, parseStatement } from "./statement.ts";

/** A Dockerfile, read into statements. */
export interface Source {
  statements: Statement[];
  /** The escape character: `\`, or a backtick by directive. */
  escape: string;
  warnings: SourceWarning[];
}

interface SourceWarning {
  short: string;
  detail: string;
  url: string;
  lines: Lines;
}

/** The longest line, in bytes, that BuildKit's scanner takes. */
const longestLine = 65_535;

/** Reads a Dockerfile. @throws SourceError with BuildKit's words */
export function parseSource(text: string): Source {
  const parser = new SourceParser(text.startsWith("\uFEFF") ? text.slice(1) : text);
  return parser.parse();
}

class SourceParser {
  private readonly text: string;
  private offset = 0;
  private line = 0;
  private tooLong = false;
  private escape = "\\";
  private readonly directives = new DirectiveReader();
  private comments: string[] = [];
  private readonly statements: Statement[] = [];
  private readonly warnings: SourceWarning[] = [];

  constructor(text: string) {
    this.text = text;
  }

  parse(): Source {
    for (let raw = this.nextLine(); raw !== undefined; raw = this.nextLine()) this.statement(raw);
    if (this.statements.length === 0) throw new SourceError("file with no instructions", [at(this.line)]);
    if (this.tooLong) {
      throw new SourceError(`dockerfile line greater than max allowed size of ${longestLine}`, [at(this.line)]);
    }
    return { statements: this.statements, escape: this.escape, warnings: this.warnings };
  }

  /** The next line with its end. */
  private nextLine(): string | undefined {
    if (this.tooLong || this.offset >= this.text.length) return undefined;
    const end = this.text.indexOf("\n", this.offset);
    const next = end < 0 ? this.text.length : end + 1;
    const line = this.text.slice(this.offset, next);
    if (line.length > longestLine / 3 && Buffer.byteLength(line) > longestLine) {
      this.tooLong = true;
      return undefined;
    }
    this.offset = next;
    return line;
  }

  private statement(raw: string): void {
    const first = this.firstLine(raw);
    this.line++;
    const start = this.line;
    let { text: joined, continued } = this.continuation(first);
    if (!continued && joined === "") return;
    let emptyLine = false;
    while (continued) {
      const next = this.nextLine();
      if (next === undefined) break;
      this.line++;
      if (next.trimStart().startsWith("#")) continue;
      const line = withoutEnd(next);
      if (line.trim() === "") {
        emptyLine = true;
        continue;
      }
      const part = this.continuation(line);
      joined += part.text;
      continued = part.continued;
    }
    if (emptyLine) this.warnings.push(emptyContinuation(joined, this.line));
    const lines = { start, end: this.line };
    const statement = {
      ...readAt(lines, () => parseStatement(joined, this.escape, lines)),
      comments: this.comments,
    };
    this.comments = [];
    if (mayHoldHeredocs(statement) && joined.includes("<<")) this.heredocs(statement, lines);
    this.statements.push(statement);
  }

  /** The first line of a statement: a directive, a comment (then empty), or its beginning. */
  private firstLine(raw: string): string {
    const line = withoutEnd(raw).trimStart();
    const isDirective = readAt(at(this.line), () => {
      const directive = this.directives.read(line);
      if (directive?.name === "escape") {
        if (directive.value !== "\\" && directive.value !== "`") {
          throw new Error(`invalid escape token '${directive.value}' does not match \` or \\`);
        }
        this.escape = directive.value;
      }
      return directive !== undefined;
    });
    if (!line.startsWith("#")) return line;
    const comment = line.slice(1).trim();
    if (comment === "") this.comments = [];
    else if (!isDirective) this.comments = [...this.comments, comment];
    return "";
  }

  /** Cuts the escape character from the end of a line that goes on; a doubled one does not continue it. */
  private continuation(line: string): { text: string; continued: boolean } {
    const end = line.replace(/[ \t]+$/, "");
    if (!end.endsWith(this.escape) || end.at(-2) === this.escape) return { text: line, continued: false };
    return { text: end.slice(0, -1), continued: true };
  }

  private heredocs(statement: Statement, lines: Lines): void {
    for (const heredoc of readAt(lines, () => heredocsOf(statement.original))) {
      const content: string[] = [];
      for (;;) {
        const line = this.nextLine();
        if (line === undefined) throw new SourceError("unterminated heredoc", [{ ...lines, end: this.line }]);
        this.line++;
        const bare = line.replace(/[\r\n]+$/, "");
        if ((heredoc.chomp ? bare.replace(/^\t+/, "") : bare) === heredoc.name) break;
        content.push(line);
      }
      statement.heredocs.push({ ...heredoc, content: content.join("") });
    }
    statement.lines = { start: lines.start, end: this.line };
  }
}

function readAt<T>(lines: Lines, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw located(error, lines);
  }
}

function at(line: number): Lines {
  return { start: line, end: line };
}

function withoutEnd(line: string): string {
  return line.replace(/[\r\n]+$/, "");
}

function emptyContinuation(line: string, end: number): SourceWarning {
  return {
    short: `Empty continuation line found in: ${line}`,
    detail: "Empty continuation lines will become errors in a future release",
    url: "https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/",
    lines: at(end),
  };
}
