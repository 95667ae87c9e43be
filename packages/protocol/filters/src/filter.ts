import { compileRegExp, type Pattern, PatternTooLarge } from "@longshore/patterns";

/**
 * How a filter reads an object: the value at a field path (`["labels", "a.b"]`), "" included, or
 * undefined when the object has no such field.
 */
export type Adaptor = (fieldpath: readonly string[]) => string | undefined;

/** Says whether an object, seen through its adaptor, is wanted. */
export type Filter = (adaptor: Adaptor) => boolean;

export type Operator = "present" | "==" | "!=" | "~=";

/** Matches all. */
export const always: Filter = () => true;

/** Matches what one of `filters` matches. */
export function any(filters: readonly Filter[]): Filter {
  return (adaptor) => filters.some((filter) => filter(adaptor));
}

/** Matches what all of `filters` match. */
export function all(filters: readonly Filter[]): Filter {
  return (adaptor) => filters.every((filter) => filter(adaptor));
}

/**
 * One condition. As in containerd, an absent field equals nothing, differs from everything, and is
 * the empty text to a regular expression; one that does not compile matches nothing.
 * @throws PatternTooLarge for an expression beyond what is run here
 */
export function selector(fieldpath: readonly string[], operator: Operator, value: string): Filter {
  switch (operator) {
    case "present":
      return (adaptor) => adaptor(fieldpath) !== undefined;
    case "==":
      return (adaptor) => adaptor(fieldpath) === value;
    case "!=":
      return (adaptor) => adaptor(fieldpath) !== value;
    case "~=": {
      const pattern = compile(value);
      return (adaptor) => pattern !== undefined && pattern.test(adaptor(fieldpath) ?? "");
    }
  }
}

/** @throws PatternTooLarge: that is no mistake in it, and not matching would hide it */
function compile(source: string): Pattern | undefined {
  try {
    return compileRegExp(source);
  } catch (error) {
    if (error instanceof PatternTooLarge) throw error;
    return undefined;
  }
}
