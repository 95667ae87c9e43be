import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { grpcCodeOf, messageOf, reasonOf } from "@longshore/errdefs";
import { StatusSchema } from "@longshore/proto/google/rpc/status";
import { fromBinary as fromTable, message, toBinary as toTable } from "@longshore/wire";

/**
 * Sent by our clients: errors may carry details. Nobody else gets any, since containerd's Go clients show to users what
 * they do not know of them.
 */
export const wantsDetails = { "longshore-error-details": "1" };
const wantsKey = "longshore-error-details";

/** Where gRPC carries a whole google.rpc.Status. */
const trailer = "grpc-status-details-bin";
const domain = "longshore";
const errorInfo = message("google.rpc.ErrorInfo", "1 reason string;2 domain string;3 metadata string:string");
const errorInfoUrl = `type.googleapis.com/${errorInfo.typeName}`;

/** The trailers of a failed call that say which error it was; undefined when there is nothing to say, or nobody asks. */
export function detailsOf(error: unknown, asked: Readonly<Record<string, string>>): Metadata | undefined {
  const reason = reasonOf(error);
  if (reason === undefined || asked[wantsKey] === undefined) return undefined;
  const status = create(StatusSchema, {
    code: grpcCodeOf(error),
    message: messageOf(error),
    details: [
      create(AnySchema, { typeUrl: errorInfoUrl, value: toTable(errorInfo, { reason, domain, metadata: {} }) }),
    ],
  });
  const metadata = new Metadata();
  metadata.set(trailer, Buffer.from(toBinary(StatusSchema, status)));
  return metadata;
}

/** The reason that a failed call's trailers name, if they are ours. */
export function reasonIn(trailers: Metadata | undefined): string | undefined {
  const bytes = trailers?.get(trailer)[0];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    for (const { typeUrl, value } of fromBinary(StatusSchema, bytes).details) {
      if (typeUrl !== errorInfoUrl) continue;
      const info = fromTable(errorInfo, value);
      if (info["domain"] === domain && typeof info["reason"] === "string") return info["reason"];
    }
  } catch {
    // No status: whoever wrote it, the code and the message stand beside it.
  }
  return undefined;
}
