import { type Duplex, Readable, pipeline } from "node:stream";
import { createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { FailedPrecondition } from "@longshore/errdefs";

const decoders: Record<string, () => Duplex> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  zstd: createZstdDecompress,
};

/** More than any server applies; each costs a decoder's memory. */
const maxCodings = 3;

/** The codings of an answer, in the order in which they were applied. */
export function codingsOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(",")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((coding) => coding !== "" && coding !== "identity");
}

/**
 * A body without the codings that a server put around it (RFC 9110, section 8.4). None is asked for, but storage behind
 * registries hands out what it keeps compressed as it is.
 * @param url names the answer in errors
 * @throws FailedPrecondition for a coding that is unknown, and in the iteration for bytes that are not in it; whatever `body` throws
 */
export async function* decoded(
  body: AsyncIterable<Buffer>,
  codings: readonly string[],
  url: URL,
): AsyncGenerator<Buffer> {
  if (codings.length === 0) return yield* body;
  const unknown = codings.find((coding) => !Object.hasOwn(decoders, coding));
  if (unknown !== undefined)
    throw new FailedPrecondition(`${url.href}: unsupported Content-Encoding algorithm: ${unknown}`);
  if (codings.length > maxCodings)
    throw new FailedPrecondition(`${url.href}: ${codings.length} Content-Encodings are too many`);
  const stages = codings.toReversed().map((coding) => decoders[coding]!());
  // Each end is told of the other's error, too. The source's own has to come through: broken connections are taken up again.
  let garbled = false;
  let failed: unknown;
  async function* watched(): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      if (!garbled) failed = error;
      throw error;
    }
  }
  for (const stage of stages) stage.once("error", () => (garbled = true));
  pipeline([Readable.from(watched(), { objectMode: false }), ...stages], () => undefined);
  try {
    yield* stages.at(-1)! as AsyncIterable<Buffer>;
  } catch (error) {
    if (failed !== undefined) throw failed;
    throw new FailedPrecondition(`${url.href}: its body is not ${codings.join(", ")}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
