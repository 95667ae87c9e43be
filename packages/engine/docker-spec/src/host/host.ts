import { execFile } from "node:child_process";
import { access, readFile } from "node:fs/promises";
import { availableParallelism, release } from "node:os";
import { promisify } from "node:util";
import { knownCapabilities } from "../security/capabilities.ts";
import { readSysInfo, type SysInfo } from "./sysinfo.ts";

/** What a spec depends on of the machine; read once at the engine's start by `readHostFacts`. */
export interface HostFacts {
  /** Go's name of the architecture: amd64, arm64, arm, riscv64, s390x, ppc64le. */
  arch: string;
  /** Major and minor. */
  kernelVersion: readonly [number, number];
  cgroupDriver: "cgroupfs" | "systemd";
  /** CPUs that the engine may use. */
  cpuCount: number;
  /** Every capability that the kernel knows and the engine may hand out, `CAP_X` form, by number. */
  capabilities: readonly string[];
  /** Per-CPU paths that are masked because they exist on this host. */
  thermalThrottlePaths: readonly string[];
  /** Why binds cannot be read-only all the way down; empty when they can. */
  recursiveReadOnly: string;
  sysInfo: SysInfo;
}

const goArchitectures: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

/** Go's name of this machine's architecture. */
export const goArch = (): string => goArchitectures[process.arch] ?? process.arch;

/** The capabilities of a `CapBnd` line in /proc/self/status. */
function capabilitiesOf(status: string): string[] {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return knownCapabilities.filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function thermalThrottlePaths(cpus: number): Promise<string[]> {
  const paths = Array.from({ length: cpus }, (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`);
  const found = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => found[index]);
}

/** Asks the runtime (`runc features`) whether it knows the mount option `rro`. */
async function recursiveReadOnly(
  runtimeName: string,
  binary: string,
  kernel: readonly [number, number],
): Promise<string> {
  if (kernel[0] < 5 || (kernel[0] === 5 && kernel[1] < 12)) {
    return "rro is not supported: mount_setattr: function not implemented (kernel is older than 5.12?)";
  }
  try {
    const { stdout } = await promisify(execFile)(binary, ["features"]);
    const { mountOptions } = JSON.parse(stdout) as { mountOptions?: string[] };
    return mountOptions?.includes("rro") === true ? "" : `rro is not supported by runtime "${runtimeName}"`;
  } catch {
    return `rro is not supported by runtime "${runtimeName}": OCI features struct is not available`;
  }
}

/** Reads the machine's facts. `runtime` is the default OCI runtime: its name and its binary. */
export async function readHostFacts(options: {
  cgroupDriver: HostFacts["cgroupDriver"];
  runtime: { name: string; binary: string };
}): Promise<HostFacts> {
  const [major = 0, minor = 0] = release().split(".", 2).map(Number);
  const cpuCount = availableParallelism();
  const [status, sysInfo, thermal, rro] = await Promise.all([
    readFile("/proc/self/status", "utf8"),
    readSysInfo(),
    thermalThrottlePaths(cpuCount),
    recursiveReadOnly(options.runtime.name, options.runtime.binary, [major, minor]),
  ]);
  return {
    arch: goArch(),
    kernelVersion: [major, minor],
    cgroupDriver: options.cgroupDriver,
    cpuCount,
    capabilities: capabilitiesOf(status),
    thermalThrottlePaths: thermal,
    recursiveReadOnly: rro,
    sysInfo,
  };
}
