import assert from "node:assert/strict";
import type { HostConfig, ContainerConfig } from "@longshore/docker-api";
import type { Spec, runtime } from "@longshore/oci";
import { buildSpec } from "./build.ts";
import { completeContainerConfig, completeHostConfig, type Given } from "../options/complete.ts";
import type { SpecInput } from "../contract.ts";
import { buildExecProcess } from "./exec.ts";
import { parseMountPoints } from "../mounts/points.ts";
import { hostFacts, settings } from "../testing/machine.ts";
import { adaptContainerSettings } from "../verify/settings.ts";

const id = "e".repeat(64);
const files = { resolvConf: "/c/resolv.conf", hostname: "/c/hostname", hosts: "/c/hosts" };

async function inputOf(
  given: Given<HostConfig>,
  config: Given<ContainerConfig> = {},
  more: Partial<SpecInput> = {},
): Promise<SpecInput> {
  const hostConfig = completeHostConfig(given);
  adaptContainerSettings(hostConfig, hostFacts, settings);
  const full = completeContainerConfig({ Hostname: "h", ...config });
  const mountPointsOf = (): Promise<never[]> => Promise.resolve([]);
  const pathExists = (): Promise<boolean> => Promise.resolve(true);
  const records = await parseMountPoints({
    config: full,
    hostConfig,
    dataRoot: settings.dataRoot,
    mountPointsOf,
    pathExists,
  });
  return {
    id,
    config: full,
    hostConfig,
    args: ["sleep", "5"],
    rootPath: "rootfs",
    user: { uid: 0, gid: 0, additionalGids: [0] },
    mounts: records.map((record) => ({ record, source: record.Source || `/volumes${record.Destination}` })),
    files,
    namespaces: {},
    host: hostFacts,
    settings,
    ...more,
  };
}

const build = async (...args: Parameters<typeof inputOf>): Promise<Spec> => buildSpec(await inputOf(...args));
const mountAt = (spec: Spec, destination: string): runtime.Mount | undefined =>
  spec.mounts?.find((mount) => mount.destination === destination);
const namespaces = (spec: Spec): string[] | undefined =>
  spec.linux?.namespaces?.map(({ type, path = "" }) => type + path);

describe("buildSpec", () => {
  it("gives a plain container Docker's defaults", async () => {
    const spec = await build({});
    assert.deepEqual(spec.process?.env, [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOSTNAME=h",
    ]);
    assert.equal(spec.process?.cwd, "/");
    assert.equal(spec.process?.capabilities?.bounding?.length, 14);
    assert.equal(spec.process?.capabilities?.ambient, undefined);
    assert.equal(spec.process?.noNewPrivileges, undefined);
    assert.equal(spec.hostname, "h");
    assert.deepEqual(
      spec.mounts?.map(({ destination }) => destination),
      [
        "/proc",
        "/dev",
        "/dev/pts",
        "/sys",
        "/sys/fs/cgroup",
        "/dev/mqueue",
        "/dev/shm",
        "/etc/resolv.conf",
        "/etc/hostname",
        "/etc/hosts",
      ],
    );
    assert.deepEqual(mountAt(spec, "/etc/hosts"), {
      destination: "/etc/hosts",
      type: "bind",
      source: "/c/hosts",
      options: ["rbind", "rprivate"],
    });
    assert.equal(mountAt(spec, "/dev/shm")?.options?.at(-1), "size=67108864");
    assert.deepEqual(namespaces(spec), ["mount", "network", "uts", "pid", "ipc"]);
    assert.equal(spec.linux?.cgroupsPath, `/docker/${id}`);
    assert.deepEqual(spec.linux?.sysctl, {
      "net.ipv4.ip_unprivileged_port_start": "0",
      "net.ipv4.ping_group_range": "0 2147483647",
    });
    assert.equal(spec.linux?.maskedPaths?.length, 12);
    assert.equal(spec.linux?.readonlyPaths?.length, 5);
    assert.equal(spec.linux?.resources?.devices?.length, 8);
    assert.deepEqual(spec.linux?.resources?.memory, { disableOOMKiller: false });
    assert.equal(spec.linux?.devices, undefined);
  });

  it("opens everything to a privileged container", async () => {
    const spec = await build({ Privileged: true });
    assert.equal(spec.process?.capabilities?.effective?.length, 40);
    assert.equal(spec.linux?.seccomp, undefined);
    assert.equal(spec.linux?.maskedPaths, undefined);
    assert.equal(spec.linux?.readonlyPaths, undefined);
    assert.equal(mountAt(spec, "/sys")?.options?.includes("ro"), false);
    assert.equal(mountAt(spec, "/sys/fs/cgroup")?.options?.includes("ro"), false);
    assert.deepEqual(spec.linux?.resources?.devices?.at(-1), { allow: true, access: "rwm" });
    assert.equal(
      spec.linux?.devices?.some(({ path }) => path === "/dev/null"),
      true,
    );
    assert.equal(
      spec.linux?.devices?.some(({ path }) => path.startsWith("/dev/pts/") || path === "/dev/console"),
      false,
    );
  });

  it("adds and drops capabilities", async () => {
    const caps = async (CapAdd: string[], CapDrop: string[]): Promise<string[]> =>
      (await build({ CapAdd, CapDrop })).process?.capabilities?.bounding ?? [];
    assert.deepEqual((await caps(["sys_admin", "CAP_net_admin"], ["chown"])).slice(-2), [
      "CAP_SYS_ADMIN",
      "CAP_NET_ADMIN",
    ]);
    assert.equal((await caps([], ["chown"])).includes("CAP_CHOWN"), false);
    assert.deepEqual(await caps(["chown", "setuid"], ["ALL"]), ["CAP_CHOWN", "CAP_SETUID"]);
    assert.equal((await caps(["all"], ["mknod"])).length, 39);
  });

  it("joins or leaves namespaces", async () => {
    const host = await build(
      { NetworkMode: "host", PidMode: "host", IpcMode: "host", UTSMode: "host" },
      {},
      { shmPath: "/dev/shm" },
    );
    assert.deepEqual(namespaces(host), ["mount"]);
    assert.equal(host.hostname, undefined);
    assert.equal(host.linux?.sysctl, undefined);
    assert.equal(mountAt(host, "/dev/shm")?.type, "bind");
    const joined = await build(
      { NetworkMode: "container:x", PidMode: "container:x", IpcMode: "container:x", CgroupnsMode: "private" },
      {},
      { namespaces: { network: "/n", pid: "/p", ipc: "/i" }, shmPath: "/x/shm" },
    );
    assert.deepEqual(namespaces(joined), ["mount", "network/n", "uts", "pid/p", "ipc/i", "cgroup"]);
    await assert.rejects(build({ PidMode: "container:x" }), /cannot join the pid namespace/);
    assert.equal(mountAt(await build({ IpcMode: "none" }), "/dev/shm"), undefined);
  });

  it("makes a read-only root with writable places", async () => {
    const spec = await build({
      ReadonlyRootfs: true,
      Tmpfs: { "/run": "", "/tmp": "size=1m,exec,mode=700" },
      Binds: ["/tmp:/x"],
    });
    assert.equal(spec.root?.readonly, true);
    assert.deepEqual(mountAt(spec, "/run")?.options, ["noexec", "nosuid", "nodev", "rprivate"]);
    assert.deepEqual(mountAt(spec, "/tmp")?.options, ["nosuid", "nodev", "rprivate", "size=1m", "exec", "mode=700"]);
    assert.deepEqual(mountAt(spec, "/x")?.options, ["rbind", "rprivate"]);
    assert.deepEqual(mountAt(spec, "/etc/hosts")?.options, ["rbind", "rro", "rprivate"]);
  });

  it("mounts parents before children, the user's instead of its own", async () => {
    const spec = await build({ Binds: ["/dev:/dev", "/a:/d/e/f", "/b:/d:ro", "vol:/v", "/own:/etc/hosts:ro"] });
    assert.deepEqual(
      spec.mounts?.map(({ destination }) => destination),
      [
        "/proc",
        "/sys",
        "/sys/fs/cgroup",
        "/dev",
        "/d",
        "/v",
        "/etc/resolv.conf",
        "/etc/hostname",
        "/etc/hosts",
        "/d/e/f",
      ],
    );
    assert.deepEqual(mountAt(spec, "/d")?.options, ["rbind", "rro", "rprivate"]);
    assert.deepEqual(mountAt(spec, "/v")?.options, ["rbind"]);
    assert.equal(mountAt(spec, "/etc/hosts")?.source, "/own");
    const modes = await build({
      Mounts: [
        {
          Type: "tmpfs",
          Target: "/t",
          ReadOnly: true,
          TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o1770, Options: [["exec"]] },
        },
        { Type: "bind", Source: "/s", Target: "/b1", BindOptions: { NonRecursive: true, Propagation: "private" } },
        { Type: "bind", Source: "/s", Target: "/b2", ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } },
      ],
    });
    assert.deepEqual(mountAt(modes, "/t")?.options, [
      "nosuid",
      "nodev",
      "rprivate",
      "ro",
      "mode=1770",
      "size=1m",
      "exec",
    ]);
    assert.deepEqual(mountAt(modes, "/b1")?.options, ["bind", "private"]);
    assert.deepEqual(mountAt(modes, "/b2")?.options, ["rbind", "ro", "rprivate"]);
    await assert.rejects(build({ Tmpfs: { "/x": "foo" } }), { message: 'invalid tmpfs option "foo"' });
  });

  it("limits resources", async () => {
    const spec = await build({
      Memory: 64 << 20,
      MemoryReservation: 32 << 20,
      NanoCpus: 1_500_000_000,
      CpuShares: 512,
      CpusetCpus: "0",
      PidsLimit: 100,
      OomScoreAdj: 100,
      Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }],
    });
    assert.deepEqual(spec.linux?.resources?.memory, {
      limit: 64 << 20,
      reservation: 32 << 20,
      swap: 128 << 20,
      disableOOMKiller: false,
    });
    assert.deepEqual(spec.linux?.resources?.cpu, { shares: 512, period: 100000, quota: 150000, cpus: "0" });
    assert.deepEqual(spec.linux?.resources?.pids, { limit: 100 });
    assert.equal(spec.process?.oomScoreAdj, 100);
    assert.deepEqual(spec.process?.rlimits, [
      { type: "RLIMIT_CORE", hard: 18446744073709551615n, soft: 18446744073709551615n },
    ]);
    await assert.rejects(build({ BlkioDeviceReadBps: [{ Path: "/nope", Rate: 1 }] }), {
      message: "stat /nope: no such file or directory",
    });
  });

  it("passes devices and cgroup rules", async () => {
    const spec = await build({
      Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/xnull", CgroupPermissions: "r" }],
      DeviceCgroupRules: ["c 42:* rmw", "a *:* r"],
    });
    assert.deepEqual(spec.linux?.devices, [
      { path: "/dev/xnull", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
    ]);
    assert.deepEqual(spec.linux?.resources?.devices?.slice(-3), [
      { allow: true, type: "c", major: 1, minor: 3, access: "r" },
      { allow: true, type: "c", major: 42, minor: -1, access: "rmw" },
      { allow: true, type: "a", major: -1, minor: -1, access: "r" },
    ]);
    const device = (PathOnHost: string): HostConfig["Devices"] => [
      { PathOnHost, PathInContainer: "/dev/x", CgroupPermissions: "rwm" },
    ];
    const prefix = "error gathering device information while adding custom device";
    await assert.rejects(build({ Devices: device("/dev/nope") }), {
      message: `${prefix} "/dev/nope": no such file or directory`,
    });
    await assert.rejects(build({ Devices: device("/etc/passwd") }), {
      message: `${prefix} "/etc/passwd": not a device node`,
    });
    await assert.rejects(build({ DeviceCgroupRules: ["c 1:3 rwmx"] }), {
      message: "invalid device cgroup rule format: 'c 1:3 rwmx'",
    });
  });

  it("sets up terminal, environment, init, directory and names", async () => {
    const spec = await build(
      { Init: true, ConsoleSize: [10, 20], Annotations: { a: "b" }, Sysctls: { "kernel.msgmax": "1" } },
      { Tty: true, Env: ["A=1", "B", "TERM=foo", "A=2", "HOSTNAME"], WorkingDir: "/tmp/../x", Domainname: "d" },
    );
    assert.deepEqual(spec.process?.env?.slice(1), ["TERM=foo", "A=1", "A=2"]);
    assert.deepEqual(spec.process?.args, ["/sbin/docker-init", "--", "sleep", "5"]);
    assert.deepEqual(mountAt(spec, "/sbin/docker-init"), {
      destination: "/sbin/docker-init",
      type: "bind",
      source: "/usr/bin/tini",
      options: ["bind", "ro"],
    });
    assert.deepEqual([spec.process?.terminal, spec.process?.consoleSize], [true, { height: 10, width: 20 }]);
    assert.equal(spec.process?.cwd, "/x");
    assert.equal(spec.linux?.sysctl?.["kernel.domainname"], "d");
    assert.equal(spec.linux?.sysctl?.["kernel.msgmax"], "1");
    assert.deepEqual(spec.annotations, { a: "b" });
    assert.deepEqual((await build({ Init: true, PidMode: "host" })).process?.args, ["sleep", "5"]);
  });

  it("names the cgroup as the driver wants it", async () => {
    const systemd = { ...hostFacts, cgroupDriver: "systemd" as const };
    assert.equal((await build({}, {}, { host: systemd })).linux?.cgroupsPath, `system.slice:docker:${id}`);
    assert.equal(
      (await build({ CgroupParent: "a.slice" }, {}, { host: systemd })).linux?.cgroupsPath,
      `a.slice:docker:${id}`,
    );
    assert.equal((await build({ CgroupParent: "foo" })).linux?.cgroupsPath, `foo/${id}`);
    assert.equal((await build({ CgroupParent: "/a/../../b" })).linux?.cgroupsPath, `/b/${id}`);
  });

  it("confines with AppArmor where the host has it", async () => {
    const host = { ...hostFacts, sysInfo: { ...hostFacts.sysInfo, AppArmor: true } };
    const profile = async (given: Given<HostConfig>): Promise<string | undefined> =>
      (await build(given, {}, { host })).process?.apparmorProfile;
    assert.equal(await profile({}), "docker-default");
    assert.equal(await profile({ Privileged: true }), "unconfined");
    assert.equal(await profile({ SecurityOpt: ["apparmor=mine"] }), "mine");
    assert.equal((await build({ SecurityOpt: ["apparmor=mine", "no-new-privileges"] })).process?.noNewPrivileges, true);
  });
});

describe("buildExecProcess", () => {
  it("inherits the container's process and takes the exec's own settings", async () => {
    const input = await inputOf(
      { CapDrop: ["ALL"], OomScoreAdj: 7 },
      { Env: ["A=1", "B=1"], Tty: true, WorkingDir: "/w" },
    );
    const spec = await buildSpec(input);
    const { config, hostConfig } = input;
    const common = {
      process: spec.process ?? { user: { uid: 0, gid: 0 }, cwd: "/" },
      config,
      hostConfig,
      host: hostFacts,
      settings,
      linkEnv: ["DB_NAME=/web/db", "A=0"],
    };
    const plain = buildExecProcess({
      ...common,
      args: ["id"],
      env: ["A=2"],
      workingDir: "",
      tty: false,
      privileged: false,
    });
    assert.deepEqual(plain.env?.slice(1), ["HOSTNAME=h", "DB_NAME=/web/db", "A=2", "B=1"]);
    assert.deepEqual([plain.cwd, plain.terminal, plain.oomScoreAdj], ["/w", undefined, 7]);
    assert.deepEqual(plain.capabilities?.bounding, []);
    const other = buildExecProcess({
      ...common,
      args: ["id"],
      env: [],
      workingDir: "/",
      tty: true,
      consoleSize: [5, 6],
      privileged: true,
      user: { uid: 1, gid: 2, additionalGids: [2] },
    });
    assert.deepEqual(other.user, { uid: 1, gid: 2, additionalGids: [2] });
    assert.deepEqual([other.cwd, other.terminal, other.consoleSize], ["/", true, { height: 5, width: 6 }]);
    assert.equal(other.capabilities?.bounding?.length, 40);
    assert.equal(other.env?.includes("TERM=xterm"), true);
  });
});
