import type { Any } from "@bufbuild/protobuf/wkt";
import { AnySchema, fromBinary } from "@longshore/proto/message";
import { BootstrapParamsSchema } from "@longshore/proto/containerd/runtime/bootstrap/v1/bootstrap";
import type { Flags } from "./flags.ts";
import { type RuntimeOptions, runtimeOptions } from "../task/options.ts";

/** What `start` learns on stdin. */
export interface StartInput {
  options: RuntimeOptions;
  socketFolder?: string;
  ttrpcAddress?: string;
  /** containerd 2.3 and later send BootstrapParams and read a BootstrapResult; before, JSON is read. */
  binaryResult: boolean;
}

/** containerd sends BootstrapParams, an Any of the options, or nothing; what is none of these counts as nothing. */
export function parseStartInput(data: Uint8Array, flags: Flags): StartInput {
  const params = attempt(() => fromBinary(BootstrapParamsSchema, data));
  if (
    data.length > 0 &&
    params !== undefined &&
    params.instanceId === flags.id &&
    params.namespace === flags.namespace
  ) {
    const options = params.extensions
      .map(({ value }) => value)
      .find((value) => value?.typeUrl.endsWith("containerd.runc.v1.Options"));
    return {
      options: runtimeOptions(options),
      binaryResult: true,
      ...(params.socketDir ? { socketFolder: params.socketDir } : {}),
      ...(params.containerdTtrpcAddress ? { ttrpcAddress: params.containerdTtrpcAddress } : {}),
    };
  }
  const any: Any | undefined = attempt(() => fromBinary(AnySchema, data));
  return { options: attempt(() => runtimeOptions(any)) ?? runtimeOptions(undefined), binaryResult: false };
}

function attempt<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
