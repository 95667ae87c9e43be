import { InvalidArgument } from "@longshore/errdefs";
import { packAny } from "@longshore/proto";
import { OptionsSchema as RuncOptions } from "@longshore/proto/containerd/runc/v1/runc";
import { OptionsSchema as RuntimeOptions } from "@longshore/proto/runtimeoptions/v1/runtimeoptions";
import type { RuntimeSettings } from "@longshore/containers";

type Value = string | boolean | number;

function goType(value: unknown, ofNumber: string): string {
  return typeof value === "number" ? ofNumber : typeof value === "boolean" ? "bool" : typeof value;
}

/** Members by their names in any case; what the message does not have is passed over. */
function convert(kinds: Record<string, Value>, options: Record<string, unknown>): Record<string, Value> {
  const names = new Map(Object.keys(kinds).map((name) => [name.toLowerCase(), name]));
  const values: Record<string, Value> = {};
  for (const [key, value] of Object.entries(options)) {
    const name = names.get(key.toLowerCase());
    if (name === undefined || value === null) continue;
    const kind = typeof kinds[name];
    if (typeof value !== kind || (kind === "number" && !(Number.isInteger(value) && Number(value) >= 0))) {
      throw new InvalidArgument(
        `(0, 0): Can't convert ${String(value)}(${goType(value, "float64")}) to ${goType(kinds[name], "uint32")}`,
      );
    }
    values[name] = value as Value;
  }
  return values;
}

const runcKinds = {
  noPivotRoot: false,
  noNewKeyring: false,
  shimCgroup: "",
  ioUid: 0,
  ioGid: 0,
  binaryName: "",
  root: "",
  systemdCgroup: false,
  criuImagePath: "",
  criuWorkPath: "",
};
const runtimeKinds = { typeUrl: "", configPath: "" };

/**
 * `options` of a runtime that is given by its type: containerd's options of runc for the shims that
 * drive it, else the general ones (TypeUrl, ConfigPath). None is nothing at all.
 * @param runcShims types of further shims that take runc's options
 * @throws InvalidArgument in the words of dockerd's decoder for a value of a wrong kind
 */
export function shimOptions(
  type: string,
  options: Record<string, unknown>,
  runcShims: readonly string[],
): RuntimeSettings["options"] {
  if (Object.keys(options).length === 0) return undefined;
  if (type === "io.containerd.runc.v2" || runcShims.includes(type))
    return packAny(RuncOptions, convert(runcKinds, options));
  return packAny(RuntimeOptions, convert(runtimeKinds, options));
}
