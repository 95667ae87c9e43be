/** A blob, as one namespace sees it. */
export interface Info {
  /** `sha256:<64 hex>` */
  digest: string;
  /** Bytes. */
  size: number;
  createdAt: Date;
  updatedAt: Date;
  labels: Record<string, string>;
}

/** An ingest: content that is being written, not yet verified. It outlives its writer and the process. */
export interface Status {
  ref: string;
  /** Bytes held. */
  offset: number;
  /** Bytes expected, 0 when unknown. */
  total: number;
  /** Digest expected, "" when unknown. */
  expected: string;
  startedAt: Date;
  updatedAt: Date;
}

export interface WriterOptions {
  /** Names the ingest; the same ref finds it again after a break. */
  ref: string;
  /** Bytes expected, if known. */
  size?: number;
  /** Digest expected, if known. */
  expected?: string;
}

/** Writes one ingest. One writer holds a ref at a time. */
export interface Writer {
  status(): Status;
  /** The digest of what is held so far. */
  digest(): string;
  /** Appends. A write that fails leaves the ingest as long as it was or, resumed later, with a prefix of `data` more. */
  write(data: Uint8Array): Promise<void>;
  /** Drops what is held and starts again from nothing. */
  reset(): Promise<void>;
  /**
   * Verifies and publishes the blob; the ingest and the writer end with it.
   * @param size bytes it must have, 0 to take any
   * @param expected digest it must have, "" to take any
   * @returns its digest
   * @throws FailedPrecondition when size or digest differ (the ingest is dropped unless it is merely short), AlreadyExists
   *   when the blob was there (the ingest is dropped)
   */
  commit(size: number, expected: string, labels?: Record<string, string>): Promise<string>;
  /** Lets the ref go and keeps the ingest. May be called again, and after `commit`. */
  close(): Promise<void>;
}

export interface Provider {
  /** @throws NotFound, InvalidArgument for what is no digest */
  info(digest: string): Promise<Info>;
  /**
   * The bytes from `offset` on, `size` of them or to the end when it is 0, in pieces of at most 1 MiB.
   * @throws NotFound, OutOfRange when `offset` lies behind the end
   */
  read(digest: string, offset?: number, size?: number): AsyncIterable<Uint8Array>;
  /** The file that holds the blob, for readers on other threads and in other processes. Not to be written. @throws NotFound */
  path(digest: string): Promise<string>;
}

export interface Ingester {
  /** Starts or resumes an ingest. @throws Unavailable while another writer holds the ref, AlreadyExists when `expected` is there */
  writer(options: WriterOptions): Promise<Writer>;
  /** @throws NotFound */
  status(ref: string): Promise<Status>;
  /** @param filters on `ref` */
  listStatuses(filters?: readonly string[]): Promise<Status[]>;
  /** Drops an ingest. @throws NotFound, Unavailable while a writer holds it */
  abort(ref: string): Promise<void>;
}

/** Content-addressed blobs; containerd's `content.Store`. */
export interface Store extends Provider, Ingester {
  /** @param filters on `digest`, `labels.K` */
  list(filters?: readonly string[]): AsyncIterable<Info>;
  /**
   * Changes labels. Without field paths they are replaced; else by `labels` or `labels.K`, where
   * an empty value removes.
   * @throws NotFound, InvalidArgument
   */
  update(info: Pick<Info, "digest" | "labels">, fieldpaths?: readonly string[]): Promise<Info>;
  /** @throws NotFound */
  delete(digest: string): Promise<void>;
}
