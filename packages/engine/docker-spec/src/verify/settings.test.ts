import assert from "node:assert/strict";
import type { ContainerConfig, HostConfig } from "@longshore/docker-api";
import { httpStatusOf, messageOf } from "@longshore/errdefs";
import { completeContainerConfig, completeHostConfig, type Given } from "../options/complete.ts";
import { parseSecurityOptions } from "../security/security-opt.ts";
import { hostFacts, settings } from "../testing/machine.ts";
import { checkCreateRequest } from "./request.ts";
import { adaptContainerSettings, verifyContainerSettings } from "./settings.ts";

/** Members as a client may send them, wrong ones too. */
type Sent = Record<string, unknown>;
type Case = [config: Sent, hostConfig: Sent, status: number, answer: string | string[]];

async function create(config: Sent, given: Sent): Promise<{ hostConfig: HostConfig; warnings: string[] }> {
  const complete = completeContainerConfig(config as Given<ContainerConfig>);
  const hostConfig = completeHostConfig(given as Given<HostConfig>);
  checkCreateRequest(complete, hostConfig, hostFacts.sysInfo);
  const warnings = await verifyContainerSettings({ config: complete, hostConfig, host: hostFacts, settings });
  adaptContainerSettings(hostConfig, hostFacts, settings);
  parseSecurityOptions(hostConfig.SecurityOpt ?? [], settings.noNewPrivileges);
  return { hostConfig, warnings };
}

/** What Docker 28.5 answers to each create, on a machine with two CPUs and cgroup v1. */
const cases: Case[] = [
  [{}, { Memory: 1048576 }, 400, "Minimum memory limit allowed is 6MB"],
  [
    {},
    { Memory: 10485760, MemorySwap: 5242880 },
    400,
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [{}, { MemorySwap: 5242880 }, 400, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{}, { Memory: 10485760, MemorySwap: -1 }, 201, []],
  [{}, { Memory: -1 }, 400, "Minimum memory limit allowed is 6MB"],
  [{}, { MemorySwappiness: 101 }, 400, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [{}, { MemorySwappiness: 50 }, 201, []],
  [{}, { MemorySwappiness: -1 }, 201, []],
  [{}, { MemoryReservation: 1 }, 400, "Minimum memory reservation allowed is 6MB"],
  [
    {},
    { Memory: 10485760, MemoryReservation: 20971520 },
    400,
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{}, { KernelMemoryTCP: 10485760 }, 201, []],
  [
    {},
    { OomKillDisable: true },
    201,
    [
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    ],
  ],
  [{}, { OomKillDisable: true, Memory: 10485760 }, 201, []],
  [{}, { PidsLimit: -5 }, 201, []],
  [{}, { PidsLimit: 10 }, 201, []],
  [{}, { PidsLimit: 0 }, 201, []],
  [{}, { NanoCpus: 100000000000 }, 400, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [{}, { NanoCpus: -1 }, 400, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [
    {},
    { NanoCpus: 1000000000, CpuPeriod: 1000 },
    400,
    "Conflicting options: Nano CPUs and CPU Period cannot both be set",
  ],
  [
    {},
    { NanoCpus: 1000000000, CpuQuota: 1000 },
    400,
    "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
  ],
  [{}, { CpuPeriod: 10 }, 400, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{}, { CpuQuota: 10 }, 400, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{}, { CpuQuota: -1 }, 201, []],
  [{}, { CpuShares: -1 }, 400, "invalid CPU shares (-1): value must be a positive integer"],
  [{}, { CpuShares: 1 }, 201, []],
  [{}, { CpuPeriod: -1 }, 400, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{}, { CpuRealtimePeriod: 10 }, 201, []],
  [{}, { CpuRealtimeRuntime: 10 }, 201, []],
  [
    {},
    { CpuRealtimeRuntime: 20, CpuRealtimePeriod: 10 },
    400,
    "cpu real-time runtime cannot be higher than cpu real-time period",
  ],
  [{}, { CpusetCpus: "foo" }, 400, "Invalid value foo for cpuset cpus: invalid format: foo"],
  [{}, { CpusetCpus: "0-99" }, 400, "Requested CPUs are not available - requested 0-99, available: 0-1"],
  [{}, { CpusetMems: "x" }, 400, "Invalid value x for cpuset mems: invalid format: x"],
  [{}, { CpusetMems: "5" }, 400, "Requested memory nodes are not available - requested 5, available: 0"],
  [
    {},
    { BlkioWeight: 5 },
    201,
    ["Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."],
  ],
  [
    {},
    { BlkioWeight: 2000 },
    201,
    ["Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."],
  ],
  [
    {},
    { BlkioWeight: 100 },
    201,
    ["Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."],
  ],
  [{}, { IOMaximumBandwidth: 1 }, 400, "invalid option: QoS maximum bandwidth configuration is not supported on linux"],
  [{}, { IOMaximumIOps: 1 }, 400, "invalid option: QoS maximum IOPs configuration is not supported on linux"],
  [
    {},
    { BlkioWeightDevice: [{ Path: "/dev/null", Weight: 100 }] },
    201,
    ["Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded."],
  ],
  [{}, { BlkioDeviceReadBps: [{ Path: "/nope", Rate: 100 }] }, 201, []],
  [{}, { OomScoreAdj: 2000 }, 400, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
  [
    {},
    { RestartPolicy: { Name: "foo" } },
    400,
    "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
  [
    {},
    { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } },
    400,
    "invalid restart policy: maximum retry count cannot be negative",
  ],
  [
    {},
    { RestartPolicy: { Name: "always", MaximumRetryCount: 3 } },
    400,
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    {},
    { RestartPolicy: { Name: "", MaximumRetryCount: 3 } },
    400,
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    {},
    { RestartPolicy: { Name: "no", MaximumRetryCount: 3 } },
    400,
    "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  ],
  [
    {},
    { RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: -3 } },
    400,
    "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative",
  ],
  [
    {},
    { AutoRemove: true, RestartPolicy: { Name: "always" } },
    400,
    "can't create 'AutoRemove' container with restart policy",
  ],
  [{}, { CapAdd: ["foo"] }, 400, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [{}, { CapDrop: ["foo"] }, 400, 'invalid CapDrop: unknown capability: "CAP_FOO"'],
  [{}, { CapAdd: ["sys_admin", "CAP_net_admin", "ALL"] }, 201, []],
  [{}, { Runtime: "foo" }, 400, "unknown or invalid runtime name: foo"],
  [{}, { Isolation: "hyperv" }, 400, "invalid isolation (hyperv): linux only supports 'default'"],
  [{}, { Isolation: "foo" }, 400, "invalid isolation (foo): linux only supports 'default'"],
  [{}, { SecurityOpt: ["foo"] }, 500, 'invalid --security-opt 1: "foo"'],
  [{}, { SecurityOpt: ["foo=bar"] }, 500, 'invalid --security-opt 2: "foo=bar"'],
  [{}, { SecurityOpt: ["no-new-privileges:maybe"] }, 500, 'invalid --security-opt 2: "no-new-privileges:maybe"'],
  [{}, { SecurityOpt: ["seccomp={bad"] }, 201, []],
  [{}, { SecurityOpt: ["apparmor=foo"] }, 201, []],
  [{}, { SecurityOpt: ["label=type:foo"] }, 201, []],
  [{}, { SecurityOpt: ["no-new-privileges"] }, 201, []],
  [{}, { SecurityOpt: ["writable-cgroups=maybe"] }, 500, 'invalid --security-opt 2: "writable-cgroups=maybe"'],
  [{}, { SecurityOpt: ["writable-cgroups=true"] }, 201, []],
  [{}, { SecurityOpt: ["systempaths=unconfined"] }, 500, 'invalid --security-opt 2: "systempaths=unconfined"'],
  [{}, { SecurityOpt: ["mask=/x"] }, 500, 'invalid --security-opt 2: "mask=/x"'],
  [{ WorkingDir: "rel" }, {}, 400, "the working directory 'rel' is invalid, it needs to be an absolute path"],
  [{ Env: ["=x"] }, {}, 400, "invalid environment variable: =x"],
  [{ Env: [""] }, {}, 400, "invalid environment variable: "],
  [{ StopSignal: "FOO" }, {}, 400, "invalid signal: FOO"],
  [{ Healthcheck: { Test: ["CMD", "x"], Interval: 100 } }, {}, 400, "Interval in Healthcheck cannot be less than 1ms"],
  [{ Healthcheck: { Test: ["CMD", "x"], Timeout: -100 } }, {}, 400, "Timeout in Healthcheck cannot be less than 1ms"],
  [{ Healthcheck: { Test: ["CMD", "x"], Retries: -1 } }, {}, 400, "Retries in Healthcheck cannot be negative"],
  [{ Healthcheck: { Test: ["CMD"], StartPeriod: 1 } }, {}, 400, "StartPeriod in Healthcheck cannot be less than 1ms"],
  [
    { Healthcheck: { Test: ["CMD"], StartInterval: 1 } },
    {},
    400,
    "StartInterval in Healthcheck cannot be less than 1ms",
  ],
  [{}, { PortBindings: { foo: [{ HostPort: "80" }] } }, 400, 'invalid port specification: "foo"'],
  [{}, { PortBindings: { "80/tcp": [{ HostPort: "foo" }] } }, 400, 'invalid port specification: "foo"'],
  [{}, { PortBindings: { "80/tcp": [{ HostPort: "99999" }] } }, 400, 'invalid port specification: "99999"'],
  [{}, { PortBindings: { "80/tcp": [{ HostIp: "x", HostPort: "0" }] } }, 201, []],
  [{}, { PortBindings: { "80/foo": [{ HostPort: "80" }] } }, 201, []],
  [{}, { PortBindings: { "": [{ HostPort: "80" }] } }, 201, []],
  [{}, { PortBindings: { "80/tcp": [{ HostPort: "9000-9005" }] } }, 201, []],
  [{}, { PortBindings: { "80/tcp": [{ HostPort: "9005-9000" }] } }, 400, 'invalid port specification: "9005-9000"'],
  [{}, { ExtraHosts: ["foo"] }, 400, 'bad format for add-host: "foo"'],
  [{}, { ExtraHosts: ["foo:bar"] }, 400, 'invalid IP address in add-host: "bar"'],
  [{}, { ExtraHosts: ["foo:1.2.3.4", "b:::1"] }, 201, []],
  [{}, { Dns: ["foo"] }, 201, []],
  [{}, { DnsOptions: ["x"] }, 201, []],
  [{}, { DnsSearch: ["x y"] }, 201, []],
  [{}, { IpcMode: "foo" }, 400, "invalid IPC mode: foo"],
  [{}, { IpcMode: "container:" }, 201, []],
  [{}, { PidMode: "foo" }, 400, "invalid PID mode: foo"],
  [{}, { PidMode: "container:" }, 400, "invalid PID mode: container:"],
  [{}, { UTSMode: "foo" }, 400, "invalid UTS mode: foo"],
  [{}, { UsernsMode: "foo" }, 201, []],
  [{}, { CgroupnsMode: "foo" }, 400, "invalid cgroup namespace mode: foo"],
  [{}, { CgroupnsMode: "private" }, 201, []],
  [{}, { Cgroup: "foo" }, 201, []],
  [{}, { NetworkMode: "foo" }, 201, []],
  [{}, { NetworkMode: "container:" }, 400, "invalid network mode: invalid container format container:<name|id>"],
  [{}, { NetworkMode: "container:nope" }, 201, []],
  [
    {},
    { NetworkMode: "host", PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
    201,
    ["Published ports are discarded when using host network mode"],
  ],
  [
    {},
    { NetworkMode: "host", Links: ["a:b"] },
    400,
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  ],
  [{ Hostname: "x" }, { NetworkMode: "container:foo" }, 400, "conflicting options: hostname and the network mode"],
  [
    {},
    { NetworkMode: "container:foo", Links: ["a:b"] },
    400,
    "conflicting options: container type network can't be used with links. This would result in undefined behavior",
  ],
  [{}, { NetworkMode: "container:foo", Dns: ["1.1.1.1"] }, 400, "conflicting options: dns and the network mode"],
  [
    {},
    { NetworkMode: "container:foo", ExtraHosts: ["a:1.1.1.1"] },
    400,
    "conflicting options: custom host-to-IP mapping and the network mode",
  ],
  [
    {},
    { NetworkMode: "container:foo", PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
    400,
    "conflicting options: port publishing and the container type network mode",
  ],
  [
    {},
    { NetworkMode: "container:foo", PublishAllPorts: true },
    400,
    "conflicting options: port publishing and the container type network mode",
  ],
  [
    { ExposedPorts: { "80/tcp": {} } },
    { NetworkMode: "container:foo" },
    400,
    "conflicting options: port exposing and the container type network mode",
  ],
  [{ Hostname: "x" }, { UTSMode: "host" }, 400, "conflicting options: hostname and the UTS mode"],
  [{ Hostname: "x" }, { NetworkMode: "host", UTSMode: "host" }, 400, "conflicting options: hostname and the UTS mode"],
  [{}, { ConsoleSize: [1, 2] }, 201, []],
  [{}, { ShmSize: -1 }, 400, "SHM size can not be less than 0"],
  [{}, { Ulimits: [{ Name: "foo", Soft: 1, Hard: 1 }] }, 201, []],
  [{}, { Ulimits: [{ Name: "nofile", Soft: 5, Hard: 1 }] }, 201, []],
  [{}, { Sysctls: { foo: "1" } }, 201, []],
  [{}, { NetworkMode: "host", Sysctls: { "net.ipv4.ip_forward": "1" } }, 201, []],
  [{}, { IpcMode: "host", Sysctls: { "kernel.shmmax": "1" } }, 201, []],
  [{}, { Devices: [{ PathOnHost: "/dev/nope", PathInContainer: "/dev/nope", CgroupPermissions: "rwm" }] }, 201, []],
  [{}, { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nope", CgroupPermissions: "xyz" }] }, 201, []],
  [{}, { DeviceCgroupRules: ["foo"] }, 201, []],
  [{}, { DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }] }, 201, []],
  [{}, { Tmpfs: { rel: "" } }, 400, "invalid mount path: 'rel' mount path must be absolute"],
  [{}, { Tmpfs: { "/x": "foo" } }, 201, []],
  [
    {},
    { Annotations: { "": "x" } },
    400,
    "invalid Annotations: the empty string is not permitted as an annotation key",
  ],
  [{}, { MaskedPaths: ["/x"] }, 201, []],
  [{}, { CgroupParent: "foo.slice" }, 201, []],
  [{}, { Init: true }, 201, []],
  [{}, { GroupAdd: ["nogrp"] }, 201, []],
];

describe("verifyContainerSettings", () => {
  for (const [config, hostConfig, status, answer] of cases) {
    it(`${JSON.stringify(config)} ${JSON.stringify(hostConfig)}`, async () => {
      const got = await create(config, hostConfig).then(
        ({ warnings }) => [201, warnings],
        (error: unknown) => [httpStatusOf(error), messageOf(error)],
      );
      assert.deepEqual(got, [status, answer]);
    });
  }

  it("fills in what is left open", async () => {
    const { hostConfig } = await create({}, { Memory: 64 << 20, PidsLimit: -1, MemorySwappiness: -1 });
    const { MemorySwap, ShmSize, IpcMode, CgroupnsMode, NetworkMode, Runtime, PidsLimit, MemorySwappiness } =
      hostConfig;
    assert.deepEqual(
      { MemorySwap, ShmSize, IpcMode, CgroupnsMode, NetworkMode, Runtime, PidsLimit, MemorySwappiness },
      {
        MemorySwap: 128 << 20,
        ShmSize: 64 << 20,
        IpcMode: "private",
        CgroupnsMode: "host",
        NetworkMode: "bridge",
        Runtime: "runc",
        PidsLimit: null,
        MemorySwappiness: null,
      },
    );
    assert.equal(hostConfig.RestartPolicy.Name, "no");
    assert.equal(hostConfig.MaskedPaths?.includes("/proc/kcore"), true);
  });

  it("leaves the paths of privileged containers alone", async () => {
    const { hostConfig } = await create({}, { Privileged: true });
    assert.equal(hostConfig.MaskedPaths, null);
    assert.equal(hostConfig.ReadonlyPaths, null);
  });
});
