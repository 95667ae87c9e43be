/**
 * The steps that bring a database from one `user_version` to the next; a step, once released, is
 * never changed. Times are milliseconds since 1970; labels, annotations and extensions are JSON;
 * packed messages are encoded `google.protobuf.Any`.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE namespaces (
    name TEXT PRIMARY KEY, labels TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE containers (
    namespace TEXT NOT NULL, id TEXT NOT NULL, labels TEXT NOT NULL, image TEXT NOT NULL,
    runtime TEXT NOT NULL, runtime_options BLOB, spec BLOB, snapshotter TEXT NOT NULL, snapshot_key TEXT NOT NULL,
    sandbox TEXT NOT NULL, extensions TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, id)
  ) STRICT;
  CREATE TABLE images (
    namespace TEXT NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL, media_type TEXT NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, annotations TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
  ) STRICT;
  CREATE TABLE blobs (
    namespace TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, labels TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, digest)
  ) STRICT;
  CREATE TABLE ingests (
    namespace TEXT NOT NULL, ref TEXT NOT NULL, backend_ref TEXT NOT NULL UNIQUE,
    expected TEXT NOT NULL, expires_at INTEGER,
    PRIMARY KEY (namespace, ref)
  ) STRICT;
  CREATE TABLE snapshots (
    namespace TEXT NOT NULL, snapshotter TEXT NOT NULL, key TEXT NOT NULL, backend_key TEXT NOT NULL, parent TEXT NOT NULL,
    labels TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    committing TEXT, committing_labels TEXT, committing_key TEXT,
    PRIMARY KEY (namespace, snapshotter, key)
  ) STRICT;
  CREATE UNIQUE INDEX snapshots_backend ON snapshots (snapshotter, backend_key);
  CREATE INDEX snapshots_parent ON snapshots (namespace, snapshotter, parent);
  CREATE TABLE leases (
    namespace TEXT NOT NULL, id TEXT NOT NULL, labels TEXT NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, id)
  ) STRICT;
  CREATE TABLE lease_resources (
    namespace TEXT NOT NULL, lease TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (namespace, lease, type, id),
    FOREIGN KEY (namespace, lease) REFERENCES leases (namespace, id) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sequence (value INTEGER NOT NULL) STRICT;
  INSERT INTO sequence VALUES (0);
  CREATE TABLE damaged (
    source TEXT NOT NULL, record TEXT NOT NULL, problem TEXT NOT NULL, found_at INTEGER NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE sandboxes (
    namespace TEXT NOT NULL, id TEXT NOT NULL, labels TEXT NOT NULL, runtime TEXT NOT NULL, runtime_options BLOB, spec BLOB,
    sandboxer TEXT NOT NULL, extensions TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, id)
  ) STRICT;
  `,
];

/** The tables whose rows are records of clients. */
export const recordTables = [
  "namespaces",
  "containers",
  "sandboxes",
  "images",
  "blobs",
  "ingests",
  "snapshots",
  "leases",
  "lease_resources",
] as const;
