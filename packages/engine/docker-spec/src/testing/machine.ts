import type { EngineSettings } from "../contract.ts";
import { knownCapabilities } from "../security/capabilities.ts";
import type { HostFacts } from "../host/host.ts";

/** A machine with two CPUs, cgroup v1 and no AppArmor, for the tests of this package. */
export const hostFacts: HostFacts = {
  arch: "amd64",
  kernelVersion: [6, 18],
  cgroupDriver: "cgroupfs",
  cpuCount: 2,
  capabilities: knownCapabilities.filter((cap) => cap !== "CAP_SYS_RESOURCE"),
  thermalThrottlePaths: [],
  recursiveReadOnly: "",
  sysInfo: {
    CgroupVersion: 1,
    MemoryLimit: true,
    SwapLimit: true,
    MemoryReservation: true,
    OomKillDisable: true,
    MemorySwappiness: true,
    KernelMemory: true,
    KernelMemoryTCP: true,
    CPUShares: true,
    CPUCfs: true,
    CPURealtime: true,
    Cpuset: true,
    Cpus: "0-1",
    Mems: "0",
    BlkioWeight: false,
    BlkioWeightDevice: false,
    BlkioReadBpsDevice: true,
    BlkioWriteBpsDevice: true,
    BlkioReadIOpsDevice: true,
    BlkioWriteIOpsDevice: true,
    PidsLimit: true,
    CgroupNamespaces: true,
    AppArmor: false,
    Seccomp: true,
    IPv4ForwardingDisabled: false,
  },
};

export const settings: EngineSettings = {
  dataRoot: "/var/lib/engine",
  cgroupParent: "",
  defaultUlimits: [],
  noNewPrivileges: false,
  seccompProfile: "",
  init: false,
  initPath: "/usr/bin/tini",
  runtimes: ["runc", "io.containerd.runc.v2"],
  defaultRuntime: "runc",
  defaultShmSize: 64 << 20,
  defaultIpcMode: "private",
  defaultCgroupnsMode: "",
};
