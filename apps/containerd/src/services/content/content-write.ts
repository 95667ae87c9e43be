import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Store, type Writer, digestProblem } from "@longshore/content";
import { AlreadyExists, InvalidArgument, OutOfRange, isKind } from "@longshore/errdefs";
import {
  WriteAction,
  type WriteContentRequest,
  type WriteContentResponseSchema,
} from "@longshore/proto/containerd/services/content/v1/content";
import { bytesOf } from "../call.ts";

type Response = MessageInitShape<typeof WriteContentResponseSchema>;

/**
 * One stream of `Content.Write`: it holds one ref, answers each message, and ends with the commit.
 * A stream that breaks off leaves the ingest to be resumed.
 */
export async function* writeDialogue(
  content: Store,
  requests: AsyncIterable<WriteContentRequest>,
): AsyncGenerator<Response> {
  let writer: Writer | undefined;
  let total = 0n;
  let expected = "";
  let ref = "";
  try {
    for await (const request of requests) {
      total = request.total || total;
      expected = request.expected || expected;
      if (request.expected !== "") await refuseKnown(content, request.ref || ref, request.expected, writer);
      ref = request.ref || ref;
      writer ??= await open(content, request);
      if (request.action === WriteAction.WRITE || request.action === WriteAction.COMMIT) await append(writer, request);
      if (request.action !== WriteAction.COMMIT) {
        yield answer(writer, request.action);
        continue;
      }
      const { offset } = writer.status();
      const digest = await writer.commit(bytesOf(total, "total"), expected, request.labels);
      yield { action: request.action, offset: BigInt(offset), digest };
      return;
    }
  } finally {
    await writer?.close();
  }
}

/** Nobody needs to write what is there already: its ingest goes. @throws AlreadyExists */
async function refuseKnown(content: Store, ref: string, expected: string, writer: Writer | undefined): Promise<void> {
  if (digestProblem(expected) !== undefined) return;
  try {
    await content.info(expected);
  } catch (error) {
    if (isKind(error, "NotFound")) return;
    throw error;
  }
  await writer?.close();
  try {
    await content.abort(ref);
  } catch (error) {
    if (!isKind(error, "NotFound")) throw error;
  }
  throw new AlreadyExists(`blob with expected digest ${expected} exists`);
}

function open(content: Store, { ref, total, expected }: WriteContentRequest): Promise<Writer> {
  if (ref === "") throw new InvalidArgument("first message must have a reference");
  // As in containerd, what is no digest is only found out at commit, by being another one.
  const known = digestProblem(expected) === undefined ? expected : "";
  return content.writer({ ref, size: bytesOf(total, "total"), expected: known });
}

/** Data at 0 starts the ingest anew; anywhere else it must follow what is held. */
async function append(writer: Writer, { action, offset, data }: WriteContentRequest): Promise<void> {
  const held = writer.status().offset;
  if (offset > 0n && offset !== BigInt(held))
    throw new OutOfRange(`write @${offset} must occur at current offset ${held}`);
  if (offset <= 0n && held > 0 && (action === WriteAction.WRITE || data.length > 0)) await writer.reset();
  if (data.length > 0) await writer.write(data);
}

function answer(writer: Writer, action: WriteAction): Response {
  const { offset, total, startedAt, updatedAt } = writer.status();
  return {
    action,
    offset: BigInt(offset),
    total: BigInt(total),
    digest: writer.digest(),
    startedAt: timestampFromDate(startedAt),
    updatedAt: timestampFromDate(updatedAt),
  };
}
