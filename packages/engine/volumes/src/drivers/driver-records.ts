import { writeFileAtomic, filesSetAside, setAside } from "@longshore/atomicfile";
import { messageOf } from "@longshore/errdefs";
import {
  flag,
  mapOf,
  nullable,
  oneOf,
  optional,
  type Reader,
  readRecordFile,
  record,
  required,
  text,
} from "@longshore/records";

/** One use of a volume by a container. */
interface DriverMount {
  /** What the driver was told; written before it is told. */
  id: string;
  /** What it answered; absent until then. */
  path?: string;
  /** The use has ended, but the driver was away and has not heard so. */
  ended?: true;
}

/** What the engine knows about a volume that a driver keeps. */
export interface DriverRecord {
  driver: string;
  scope: "local" | "global";
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
  /** By container. */
  mounts: Record<string, DriverMount>;
}

const driverRecord = record<DriverRecord>({
  driver: required(text),
  scope: oneOf("local", "global"),
  labels: nullable(mapOf(text)),
  options: nullable(mapOf(text)),
  mounts: mapOf(
    record<DriverMount>({
      id: required(text),
      path: optional(text),
      ended: optional(((value, at) => (flag(value, at) ? true : undefined)) as Reader<true>),
    }),
  ),
});

/** The records of volumes that drivers beside `local` keep, in one file: they are few. */
export class DriverRecords {
  readonly #path: string;
  readonly #records: Map<string, DriverRecord>;
  /** Writes follow each other, and those that wait go as one. */
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, records: Map<string, DriverRecord>) {
    this.#path = path;
    this.#records = records;
  }

  /** @param damaged is told in words when the file cannot be read; it is set aside then */
  static async open(path: string, damaged: (sentence: string) => void): Promise<DriverRecords> {
    try {
      const found = await readRecordFile(path, mapOf(driverRecord)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return {};
        throw error;
      });
      return new DriverRecords(path, new Map(Object.entries(found)));
    } catch (error) {
      const aside = setAside(path);
      damaged(`the records of plugins' volumes were damaged (${messageOf(error)}) and set aside as ${aside}`);
      return new DriverRecords(path, new Map());
    }
  }

  /** Files that were set aside, of earlier starts too. */
  aside(): string[] {
    return filesSetAside(this.#path);
  }

  get(name: string): DriverRecord | undefined {
    return this.#records.get(name);
  }

  entries(): [string, DriverRecord][] {
    return [...this.#records];
  }

  /** On the disk when it resolves. */
  async set(name: string, record: DriverRecord): Promise<void> {
    this.#records.set(name, record);
    await this.#write();
  }

  async delete(name: string): Promise<void> {
    this.#records.delete(name);
    await this.#write();
  }

  #write(): Promise<void> {
    this.#next ??= this.#afterLast();
    return this.#next;
  }

  async #afterLast(): Promise<void> {
    await this.#writing;
    this.#next = undefined;
    const written = writeFileAtomic(this.#path, `${JSON.stringify(Object.fromEntries(this.#records))}\n`);
    this.#writing = written.catch(() => undefined);
    await written;
  }
}
