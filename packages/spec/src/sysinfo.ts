/** What the kernel's cgroups and security modules can do here; member names are Docker's. */
export interface SysInfo {
  CgroupVersion: 1 | 2;
  MemoryLimit: boolean;
  SwapLimit: boolean;
  MemoryReservation: boolean;
  OomKillDisable: boolean;
  MemorySwappiness: boolean;
  KernelMemoryTCP: boolean;
  CPUShares: boolean;
  CPUCfs: boolean;
  CPURealtime: boolean;
  Cpuset: boolean;
  /** List format (`0-3,7`). */
  Cpus: string;
  Mems: string;
  BlkioWeight: boolean;
  BlkioWeightDevice: boolean;
  BlkioReadBpsDevice: boolean;
  BlkioWriteBpsDevice: boolean;
  BlkioReadIOpsDevice: boolean;
  BlkioWriteIOpsDevice: boolean;
  PidsLimit: boolean;
  CgroupNamespaces: boolean;
  AppArmor: boolean;
  Seccomp: boolean;
  IPv4ForwardingDisabled: boolean;
}
