import { type LongshoreError, fromGrpcCode, grpcCodeOf, messageOf } from "@longshore/errdefs";
import { create, toBinary } from "@longshore/proto/message";
import { type Status, StatusSchema } from "@longshore/proto/google/rpc/status";
import { type Response, ResponseSchema } from "@longshore/proto/ttrpc/ttrpc";

/** The error in a response, if it carries one. */
export function errorOf(response: Response): LongshoreError | undefined {
  const status: Status | undefined = response.status;
  return status === undefined || status.code === 0 ? undefined : fromGrpcCode(status.code, status.message);
}

/** A response that ends its stream with `error`. */
export function encodeError(error: unknown): Uint8Array {
  const status = create(StatusSchema, { code: grpcCodeOf(error), message: messageOf(error) });
  return toBinary(ResponseSchema, create(ResponseSchema, { status }));
}

export function encodeSuccess(payload: Uint8Array): Uint8Array {
  return toBinary(ResponseSchema, create(ResponseSchema, { status: {}, payload }));
}
