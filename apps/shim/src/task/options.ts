import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackAny } from "@longshore/proto";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { bundleFile, readBundleFile, writeBundleFile } from "./bundle.ts";

/** How the OCI runtime is called, by containerd.runc.v1.Options. */
export interface RuntimeOptions {
  binary: string;
  /** State directory of the runtime; the namespace comes below it. */
  root: string;
  systemdCgroup: boolean;
  noPivotRoot: boolean;
  noNewKeyring: boolean;
  shimCgroup: string;
  /** Owner of stdio pipes. */
  ioUid: number;
  ioGid: number;
  criuImagePath: string;
  criuWorkPath: string;
}

const defaults: RuntimeOptions = {
  binary: "runc",
  root: "/run/containerd/runc",
  systemdCgroup: false,
  noPivotRoot: false,
  noNewKeyring: false,
  shimCgroup: "",
  ioUid: 0,
  ioGid: 0,
  criuImagePath: "",
  criuWorkPath: "",
};

/** Options of another type, or none, mean the defaults. */
export function runtimeOptions(any: Any | undefined): RuntimeOptions {
  const options = unpackAny(any, OptionsSchema);
  if (options === undefined) return defaults;
  return {
    binary: options.binaryName || defaults.binary,
    root: options.root || defaults.root,
    systemdCgroup: options.systemdCgroup,
    noPivotRoot: options.noPivotRoot,
    noNewKeyring: options.noNewKeyring,
    shimCgroup: options.shimCgroup,
    ioUid: options.ioUid,
    ioGid: options.ioGid,
    criuImagePath: options.criuImagePath,
    criuWorkPath: options.criuWorkPath,
  };
}

/** Kept in the bundle for `delete`, which gets none. */
export function writeOptions(bundle: string, options: RuntimeOptions): void {
  writeBundleFile(bundle, bundleFile.options, JSON.stringify(options));
  writeBundleFile(bundle, bundleFile.runtime, options.binary);
}

export function readOptions(bundle: string): RuntimeOptions {
  const text = readBundleFile(bundle, bundleFile.options);
  return text === undefined ? defaults : { ...defaults, ...(JSON.parse(text) as Partial<RuntimeOptions>) };
}
