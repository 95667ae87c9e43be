/** Lines of a Dockerfile, from 1; `end` is in it. */
export interface Lines {
  start: number;
  end: number;
}

/**
 * A Dockerfile that cannot be read or built, with the lines that are to blame. BuildKit's clients draw them below the
 * message, the innermost place first.
 */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly locations: Lines[];

  constructor(message: string, locations: Lines[], options?: ErrorOptions) {
    super(message, options);
    this.locations = locations;
  }
}

/** The error with `lines` told, unless it has a place of its own already. */
export function located(error: unknown, lines: Lines): unknown {
  if (error instanceof SourceError && error.locations.length > 0) return error;
  return error instanceof Error ? new SourceError(error.message, [lines], { cause: error }) : error;
}
