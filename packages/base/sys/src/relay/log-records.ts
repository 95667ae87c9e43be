import { addon } from "../addon.ts";

/** What of a log's records is shown. */
export interface LogRecordShow {
  stdout: boolean;
  stderr: boolean;
  /** Each record in a frame of Docker's multiplexed format; its text alone otherwise. */
  framed: boolean;
  /** The time before the text. */
  timestamps: boolean;
}

const native = addon as {
  renderLogRecords(
    records: Uint8Array,
    from: number,
    out: Uint8Array,
    at: number,
    stdout: boolean,
    stderr: boolean,
    framed: boolean,
    timestamps: boolean,
  ): { read: number; written: number };
};

/**
 * Renders the records of a json-file log from `from` on, up to the first that has not the form in which Docker and
 * the shim write them, or is not finished.
 * @param out takes them from `at` on; needs room there for as many bytes as are left of `records`, and 64 more
 * @returns offsets in `records` and in `out` behind the last that was rendered
 */
export function renderLogRecords(
  records: Uint8Array,
  from: number,
  out: Uint8Array,
  at: number,
  show: LogRecordShow,
): { read: number; written: number } {
  return native.renderLogRecords(records, from, out, at, show.stdout, show.stderr, show.framed, show.timestamps);
}
