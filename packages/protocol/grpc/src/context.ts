/** What a server method knows of its call beside the request. */
export interface CallContext {
  /** Metadata keys are lower case; the values of a repeated key are joined by `, `, as HTTP/2 libraries hand them over. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Aborted when the client goes away or its deadline passes. */
  readonly signal: AbortSignal;
}
