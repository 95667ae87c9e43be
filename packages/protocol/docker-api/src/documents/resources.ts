import {
  bool,
  type Document,
  type DocumentFields,
  filled,
  int,
  int64,
  leftOut,
  list,
  map,
  pointer,
  text,
  uint16,
  uint64,
} from "@longshore/go-json";

const throttleDevice = filled("*blkiodev.ThrottleDevice", { Path: text, Rate: uint64 });
const weightDevice = filled("*blkiodev.WeightDevice", { Path: text, Weight: uint16 });
const deviceMapping = filled("container.DeviceMapping", {
  PathOnHost: text,
  PathInContainer: text,
  CgroupPermissions: text,
});
const deviceRequest = filled("container.DeviceRequest", {
  Driver: text,
  Count: int,
  DeviceIDs: list(text),
  Capabilities: list(list(text)),
  Options: map(text),
});
const ulimit = filled("*container.Ulimit", { Name: text, Hard: int64, Soft: int64 });

/** What an update may change, too. */
export const resourceFields = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: text,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(weightDevice),
  BlkioDeviceReadBps: list(throttleDevice),
  BlkioDeviceWriteBps: list(throttleDevice),
  BlkioDeviceReadIOps: list(throttleDevice),
  BlkioDeviceWriteIOps: list(throttleDevice),
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(deviceMapping),
  DeviceCgroupRules: list(text),
  DeviceRequests: list(deviceRequest),
  KernelMemory: leftOut(int64),
  KernelMemoryTCP: leftOut(int64),
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: pointer(int64),
  OomKillDisable: pointer(bool),
  PidsLimit: pointer(int64),
  Ulimits: list(ulimit),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
};

export type Resources = DocumentFields<typeof resourceFields>;
export type ThrottleDevice = Document<typeof throttleDevice>;
export type WeightDevice = Document<typeof weightDevice>;
export type DeviceMapping = Document<typeof deviceMapping>;
export type DeviceRequest = Document<typeof deviceRequest>;
export type Ulimit = Document<typeof ulimit>;
