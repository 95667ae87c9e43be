import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Info, type Status, digestProblem } from "@longshore/content";
import { InvalidArgument, NotFound, isKind, messageOf } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import type { Content, InfoSchema, StatusSchema } from "@longshore/proto/containerd/services/content/v1/content";
import { type MetadataDeps, blocks, scopeOf, times } from "../call.ts";
import { writeDialogue } from "./content-write.ts";

/** How many blobs one message of a list carries. */
const listBlock = 100;

export function contentService({ metadata }: MetadataDeps): ServiceImplementation<typeof Content> {
  return {
    async info({ digest }, context) {
      checkDigest(digest, (quoted) => `${quoted} failed validation`);
      return { info: infoMessage(await scopeOf(metadata, context).content.info(digest)) };
    },
    async update({ info, updateMask }, context) {
      const digest = info?.digest ?? "";
      checkDigest(digest, (quoted) => `${quoted} failed validation`);
      const { content } = scopeOf(metadata, context);
      return {
        info: infoMessage(await content.update({ digest, labels: info?.labels ?? {} }, updateMask?.paths ?? [])),
      };
    },
    async *list({ filters }, context) {
      for await (const block of blocks(scopeOf(metadata, context).content.list(filters), listBlock))
        yield { info: block.map(infoMessage) };
    },
    async delete({ digest }, context) {
      checkDigest(digest, (_quoted, problem) => problem);
      await scopeOf(metadata, context).content.delete(digest);
      return {};
    },
    async *read({ digest, offset, size }, context) {
      checkDigest(digest, (_quoted, problem) => `${digest}: ${problem}`);
      const start = Math.max(0, Number(offset));
      let sent = 0;
      for await (const data of scopeOf(metadata, context).content.read(digest, start, Math.max(0, Number(size)))) {
        // Counted from the start of this read, as containerd does.
        yield { offset: BigInt(sent), data };
        sent += data.length;
      }
    },
    async status({ ref }, context) {
      try {
        return { status: statusMessage(await scopeOf(metadata, context).content.status(ref)) };
      } catch (error) {
        if (!isKind(error, "NotFound")) throw error;
        throw new NotFound(`could not get status for ref "${ref}": ${messageOf(error)}`, { cause: error });
      }
    },
    listStatuses: async ({ filters }, context) => ({
      statuses: (await scopeOf(metadata, context).content.listStatuses(filters)).map(statusMessage),
    }),
    write: (requests, context) => writeDialogue(scopeOf(metadata, context).content, requests),
    async abort({ ref }, context) {
      await scopeOf(metadata, context).content.abort(ref);
      return {};
    },
  };
}

/** containerd words the same mistake differently in each call. */
function checkDigest(digest: string, message: (quoted: string, problem: string) => string): void {
  const problem = digestProblem(digest);
  if (problem !== undefined) throw new InvalidArgument(message(JSON.stringify(digest), problem));
}

function infoMessage(info: Info): MessageInitShape<typeof InfoSchema> {
  return { digest: info.digest, size: BigInt(info.size), labels: info.labels, ...times(info) };
}

function statusMessage({
  ref,
  offset,
  total,
  expected,
  startedAt,
  updatedAt,
}: Status): MessageInitShape<typeof StatusSchema> {
  return {
    ref,
    offset: BigInt(offset),
    total: BigInt(total),
    expected,
    startedAt: timestampFromDate(startedAt),
    updatedAt: timestampFromDate(updatedAt),
  };
}
