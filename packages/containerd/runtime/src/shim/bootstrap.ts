import { basename } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import {
  BootstrapParamsSchema,
  BootstrapResultSchema,
  LogLevel,
} from "@longshore/proto/containerd/runtime/bootstrap/v1/bootstrap";
import type { RuntimeConfig } from "../contract.ts";

/** Where a shim serves, as `bootstrap.json` keeps it. */
export interface Bootstrap {
  /** Version of the task API, 2 or 3. */
  version: number;
  /** `unix:///path` */
  address: string;
  protocol: string;
}

/** The bundle's file that tells where its shim serves. */
export const bootstrapFile = "bootstrap.json";

/** The longest directory for which a shim's socket path still fits. */
const maxSocketDir = 42;

/** What a shim's `start` reads on stdin. Shims of the first generation know only the bare options. */
export function encodeStart(
  binary: string,
  namespace: string,
  id: string,
  options: Any | undefined,
  config: RuntimeConfig,
): Uint8Array {
  if (/shim-(runc|runhcs)-v1/.test(basename(binary)))
    return options === undefined ? new Uint8Array() : toBinary(AnySchema, options);
  const socketDir = `${config.state}/s`;
  return toBinary(
    BootstrapParamsSchema,
    create(BootstrapParamsSchema, {
      instanceId: id,
      namespace,
      logLevel: config.debug ? LogLevel.DEBUG : LogLevel.INFO,
      containerdVersion: config.version,
      containerdTtrpcAddress: config.ttrpcAddress,
      containerdGrpcAddress: config.address,
      containerdBinary: config.containerdBinary,
      extensions: options === undefined ? [] : [{ value: options }],
      ...(socketDir.length <= maxSocketDir ? { socketDir } : {}),
    }),
  );
}

/**
 * Reads what `start` printed: a BootstrapResult, or JSON, or the bare address, by the age of the shim.
 * @throws InvalidArgument, NotImplemented for a version or protocol from the future
 */
export function decodeStart(output: Buffer): Bootstrap {
  const decoded = decodeResult(output) ??
    decodeJson(output.toString("utf8")) ?? { version: 2, address: output.toString("utf8").trim(), protocol: "ttrpc" };
  return checked(decoded);
}

/** Reads `bootstrap.json`. */
export function decodeStored(text: string): Bootstrap {
  const stored = decodeJson(text);
  if (stored === undefined) throw new InvalidArgument(`bootstrap.json cannot be read: ${text.slice(0, 100)}`);
  return checked(stored);
}

/** The text of `bootstrap.json`. */
export function encodeStored({ version, address, protocol }: Bootstrap): string {
  return JSON.stringify({ version, address, protocol });
}

function checked(bootstrap: Bootstrap): Bootstrap {
  if (bootstrap.address === "") throw new InvalidArgument("shim did not report its address");
  if (bootstrap.version < 2 || bootstrap.version > 3)
    throw new NotImplemented(`unsupported shim version (${bootstrap.version}): not implemented`);
  if (bootstrap.protocol !== "ttrpc")
    throw new NotImplemented(`unsupported protocol: ${bootstrap.protocol}: not implemented`);
  return bootstrap;
}

function decodeResult(output: Buffer): Bootstrap | undefined {
  try {
    const { version, address, protocol, $unknown } = fromBinary(BootstrapResultSchema, output);
    // Text may happen to decode; a result says more than unknown fields.
    if ($unknown !== undefined || version === 0 || address === "") return undefined;
    return { version, address, protocol };
  } catch {
    return undefined;
  }
}

function decodeJson(text: string): Bootstrap | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const { version, address, protocol } = JSON.parse(text) as Partial<Bootstrap>;
    return { version: version ?? 2, address: address ?? "", protocol: protocol || "ttrpc" };
  } catch {
    return undefined;
  }
}
