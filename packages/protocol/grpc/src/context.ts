import { FailedPrecondition } from "@longshore/errdefs";

/** What a server method knows of its call beside the request. */
export class CallContext {
  /** Metadata keys are lower case; the values of a repeated key are joined by `, `, as HTTP/2 libraries hand them over. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborted when the client goes away or its deadline passes. */
  readonly signal: AbortSignal;

  constructor(metadata: Record<string, string>, signal: AbortSignal) {
    this.metadata = metadata;
    this.signal = signal;
  }

  /** @throws FailedPrecondition when the call names no namespace. */
  get namespace(): string {
    const namespace = this.#first("containerd-namespace");
    if (!namespace) throw new FailedPrecondition("namespace is required: failed precondition");
    return namespace;
  }

  /** The lease that objects made in this call belong to, if the client named one. */
  get lease(): string | undefined {
    return this.#first("containerd-lease") || undefined;
  }

  /** How many things the client lets the call do at once; containerd's own API has no place for it. */
  get concurrency(): number | undefined {
    const given = this.#first("longshore-concurrency");
    return given !== undefined && /^[1-9]\d{0,5}$/.test(given) ? Number(given) : undefined;
  }

  /** Go clients put a nested lease or namespace in front of the outer one and send both; the first counts. */
  #first(key: string): string | undefined {
    return this.metadata[key]?.split(",", 1)[0];
  }
}
