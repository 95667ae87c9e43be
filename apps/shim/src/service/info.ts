import { readFileSync, writeSync } from "node:fs";
import { AnySchema, create, fromBinary, toBinary } from "@longshore/proto/message";
import { RuntimeInfoSchema } from "@longshore/proto/containerd/types/types";
import { runtimeOptions } from "../task/options.ts";
import { Runc } from "../runc/runc.ts";
import { Shim } from "../shim.ts";
import { version } from "../version.ts";

const featuresType = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

/** `-info`: prints what this shim and its runtime can do, as types.RuntimeInfo. */
export async function info(): Promise<void> {
  const data = readFileSync(0);
  const any = data.length === 0 ? undefined : fromBinary(AnySchema, data);
  const runc = new Runc(new Shim().children, runtimeOptions(any), "/tmp", "");
  const features = await runc.run("OCI runtime features failed", ["features"]);
  const message = create(RuntimeInfoSchema, {
    name: "io.containerd.longshore.v2",
    version: { version },
    features: { typeUrl: featuresType, value: Buffer.from(features) },
    ...(any === undefined ? {} : { options: any }),
  });
  writeSync(1, toBinary(RuntimeInfoSchema, message));
}
