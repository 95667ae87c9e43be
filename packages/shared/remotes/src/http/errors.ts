import { type ErrorKind, LongshoreError } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";

/** One entry of a registry's error body. */
export interface RegistryErrorEntry {
  /** As the registry writes it, e.g. `MANIFEST_UNKNOWN`. */
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** A registry's refusal. The message is the registry's own, in the form Docker prints: `manifest unknown: manifest unknown`. */
export class RegistryError extends LongshoreError {
  readonly kind: ErrorKind;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly errors: readonly RegistryErrorEntry[];

  constructor(
    message: string,
    about: { kind: ErrorKind; method: string; url: string; status: number; errors: readonly RegistryErrorEntry[] },
  ) {
    super(message);
    this.kind = about.kind;
    this.method = about.method;
    this.url = about.url;
    this.status = about.status;
    this.errors = about.errors;
  }
}

/** What is kept of a request that failed, its body cut to a harmless size. */
export interface FailedResponse {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly body: string;
}

function entriesOf(body: string): RegistryErrorEntry[] {
  let parsed: unknown;
  try {
    parsed = parsePlain(body);
  } catch {
    return [];
  }
  if (typeof parsed !== "object" || parsed === null) return [];
  const { errors, details } = parsed as { errors?: unknown; details?: unknown };
  // Token services answer `{"details": "…"}` instead of the registries' list.
  if (typeof details === "string") return [{ code: "UNAUTHORIZED", message: details }];
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const { code, message, detail } = entry as Record<"code" | "message" | "detail", unknown>;
    if (typeof code !== "string") return [];
    return [{ code, message: typeof message === "string" ? message : "", ...(detail === undefined ? {} : { detail }) }];
  });
}

function kindOfStatus(status: number, entries: readonly RegistryErrorEntry[]): ErrorKind {
  if (entries.some(({ code }) => code === "DENIED")) return "PermissionDenied";
  if (status === 401) return "Unauthenticated";
  if (status === 403) return "PermissionDenied";
  if (status === 404) return "NotFound";
  if (status === 416) return "OutOfRange";
  if (status === 429) return "ResourceExhausted";
  if (status === 400 || status === 405 || status === 413) return "InvalidArgument";
  if (status >= 500) return "Unavailable";
  return "Unknown";
}

function textOf({ code, message }: RegistryErrorEntry): string {
  const name = code.toLowerCase().replaceAll("_", " ");
  return message === "" ? name : `${name}: ${message}`;
}

/** The error that a registry's answer stands for. */
export function registryError(response: FailedResponse): RegistryError {
  const { method, url, status, statusText, body } = response;
  const errors = entriesOf(body);
  const message =
    errors.length === 0
      ? `unexpected status from ${method} request to ${url}: ${status} ${statusText}`
      : errors.length === 1
        ? errors.map(textOf).join("")
        : `errors:\n${errors.map((entry) => `${textOf(entry)}\n`).join("")}`;
  return new RegistryError(message, { kind: kindOfStatus(status, errors), method, url, status, errors });
}
