import { messageOf } from "@longshore/errdefs";
import { parseBool, quoteText } from "@longshore/go-values";
import { DirectiveReader } from "../source/directives.ts";
import type { Lines } from "../source/source-error.ts";
import { type RuleName, messages, ruleUrl, rules } from "./rules.ts";

/** What `# check=` and `BUILDKIT_DOCKERFILE_CHECK` say. */
export interface LintOptions {
  skipAll: boolean;
  skip: ReadonlySet<string>;
  experimentalAll: boolean;
  experimental: ReadonlySet<string>;
  /** A warning fails the build. */
  error: boolean;
}

export interface LintWarning {
  rule: RuleName;
  description: string;
  /** The page that explains the rule; may be empty. */
  url: string;
  message: string;
  lines: Lines;
}

export const defaultLintOptions: LintOptions = {
  skipAll: false,
  skip: new Set(),
  experimentalAll: false,
  experimental: new Set(),
  error: false,
};

/** Reads `skip=A,B;error=true;experimental=all`. @throws Error with BuildKit's words */
export function parseLintOptions(text: string): LintOptions {
  const options = { ...defaultLintOptions };
  if (text.trim() === "") return options;
  const [first = "", second, ...others] = text.trim().split(";");
  for (const part of [first, second, others.length === 0 ? undefined : others.join(";")]) {
    if (part === undefined) continue;
    const equals = part.indexOf("=");
    if (equals < 0) throw new Error(`invalid check option ${quoteText(part)}`);
    const key = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    const names = new Set(value.split(",").map((name) => name.trim()));
    if (key === "skip") {
      if (value === "all") options.skipAll = true;
      else options.skip = names;
    } else if (key === "experimental") {
      if (value === "all") options.experimentalAll = true;
      else options.experimental = names;
    } else if (key === "error") {
      try {
        options.error = parseBool(value);
      } catch (error) {
        throw new Error(`failed to parse check option ${quoteText(part)}: ${messageOf(error)}`, { cause: error });
      }
    } else throw new Error(`invalid check option ${quoteText(key)}`);
  }
  return options;
}

/** Tells what rules find, but for those that are switched off. */
export class Linter {
  private readonly options: LintOptions;
  private readonly warn: (warning: LintWarning) => void;
  private readonly called: Set<RuleName>;

  constructor(options: LintOptions, warn: (warning: LintWarning) => void, called = new Set<RuleName>()) {
    this.options = options;
    this.warn = warn;
    this.called = called;
  }

  report<Name extends RuleName>(rule: Name, lines: Lines, ...words: Parameters<(typeof messages)[Name]>): void {
    const { skip, skipAll, experimental, experimentalAll } = this.options;
    if (rules[rule].experimental ? !experimentalAll && !experimental.has(rule) : skipAll || skip.has(rule)) return;
    this.called.add(rule);
    const message = (messages[rule] as (...given: unknown[]) => string)(...words);
    this.warn({ rule, description: rules[rule].description, url: ruleUrl(rule), message, lines });
  }

  /** The linter for an instruction whose comment above says `# check=…`. */
  forComments(comments: string[]): Linter {
    for (const comment of comments) {
      const directive = new DirectiveReader("").read(comment);
      if (directive?.name !== "check") continue;
      let own: LintOptions;
      try {
        own = parseLintOptions(directive.value.split(" ", 1)[0] ?? "");
      } catch {
        return this;
      }
      const options: LintOptions = {
        skipAll: this.options.skipAll || own.skipAll,
        skip: new Set([...this.options.skip, ...own.skip]),
        experimentalAll: this.options.experimentalAll || own.experimentalAll,
        experimental: new Set([...this.options.experimental, ...own.experimental]),
        error: this.options.error,
      };
      return new Linter(options, this.warn, this.called);
    }
    return this;
  }

  /** The error of a build that is not to have warnings. */
  get failure(): Error | undefined {
    if (!this.options.error || this.called.size === 0) return undefined;
    return new Error(`lint violation found for rules: ${[...this.called].join(", ")}`);
  }
}

/** For who wants the instructions only. */
export const silentLinter = new Linter({ ...defaultLintOptions, skipAll: true }, () => {});
