import type { SysInfo } from "./sysinfo.ts";

/** What a spec depends on of the machine; read once at the engine's start by `readHostFacts`. */
export interface HostFacts {
  /** Go's name of the architecture: amd64, arm64, arm, riscv64, s390x, ppc64le. */
  arch: string;
  /** Major and minor. */
  kernelVersion: readonly [number, number];
  cgroupDriver: "cgroupfs" | "systemd";
  /** Every capability that the kernel knows and the engine may hand out, `CAP_X` form, by number. */
  capabilities: readonly string[];
  /** Per-CPU paths that are masked because they exist on this host. */
  thermalThrottlePaths: readonly string[];
  sysInfo: SysInfo;
}
