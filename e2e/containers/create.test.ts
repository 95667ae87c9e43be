import assert from "node:assert/strict";
import { request } from "node:http";
import { hostname } from "node:os";
import { shared } from "../engine/shared.ts";

type Json = Record<string, any>;

function call(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: shared.host.replace("unix://", ""),
        method,
        path: `/v1.51${path}`,
        agent: false,
        headers: body === undefined ? {} : { "Content-Type": "application/json" },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const donor = "e2e-create-donor";
const idle = "e2e-create-idle";
const security = (...options: string[]): object => ({ HostConfig: { SecurityOpt: options } });

/** What is sent, and either the refusal or what is seen of the container; the answers are the real engine's. */
const cases: [what: string, body: object, seen: string | ((container: Json) => unknown), value?: unknown][] = [
  ["a working directory in its shortest form", { WorkingDir: "/tmp/" }, ({ Config }) => Config.WorkingDir, "/tmp"],
  ["a working directory with dots", { WorkingDir: "/new//x/../y" }, ({ Config }) => Config.WorkingDir, "/new/y"],
  [
    "a working directory that is a file",
    { WorkingDir: "/etc/passwd" },
    "500 Cannot mkdir: /etc/passwd is not a directory",
  ],
  [
    "a relative working directory",
    { WorkingDir: "tmp" },
    "400 the working directory 'tmp' is invalid, it needs to be an absolute path",
  ],
  [
    "privileged without labels",
    { HostConfig: { Privileged: true } },
    ({ HostConfig }) => HostConfig.SecurityOpt,
    ["label=disable"],
  ],
  [
    "the host's processes without labels",
    { HostConfig: { PidMode: "host", SecurityOpt: ["seccomp=unconfined"] } },
    ({ HostConfig }) => HostConfig.SecurityOpt,
    ["seccomp=unconfined", "label=disable"],
  ],
  [
    "the host's IPC with labels that were asked for",
    { HostConfig: { IpcMode: "host", SecurityOpt: ["label=type:x"] } },
    ({ HostConfig }) => HostConfig.SecurityOpt,
    ["label=type:x"],
  ],
  [
    "writable cgroups without a value",
    security("writable-cgroups"),
    ({ HostConfig }) => HostConfig.SecurityOpt,
    ["writable-cgroups"],
  ],
  ["an AppArmor profile", security("apparmor=unconfined"), ({ AppArmorProfile }) => AppArmorProfile, "unconfined"],
  ...["foo", "", "label", "seccomp", "NO-NEW-PRIVILEGES"].map((option): (typeof cases)[number] => [
    `the security option ${JSON.stringify(option)}`,
    security(option),
    `500 invalid --security-opt 1: ${JSON.stringify(option)}`,
  ]),
  ...[
    "foo=bar",
    "=",
    ":",
    "no-new-privileges:foo",
    "no-new-privileges=",
    "writable-cgroups=foo",
    "systempaths=unconfined",
  ].map((option): (typeof cases)[number] => [
    `the security option ${JSON.stringify(option)}`,
    security(option),
    `500 invalid --security-opt 2: ${JSON.stringify(option)}`,
  ]),
  ...[0, -1, -2].map((limit): (typeof cases)[number] => [
    `a limit of ${limit} processes`,
    { HostConfig: { PidsLimit: limit } },
    ({ HostConfig }) => HostConfig.PidsLimit,
    null,
  ]),
  [
    "another container's processes by its ID",
    { HostConfig: { PidMode: `container:${donor}` } },
    ({ HostConfig }) => /^container:[0-9a-f]{64}$/.test(HostConfig.PidMode),
    true,
  ],
  [
    "another container's network by its ID",
    { HostConfig: { NetworkMode: `container:${donor}` } },
    ({ Id, Config, HostConfig }) => [
      /^container:[0-9a-f]{64}$/.test(HostConfig.NetworkMode),
      Config.Hostname === Id.slice(0, 12),
    ],
    [true, true],
  ],
  ["the processes of nobody", { HostConfig: { PidMode: "container:nobody" } }, "400 No such container: nobody"],
  [
    "the network of nobody yet",
    { HostConfig: { NetworkMode: "container:nobody" } },
    ({ HostConfig }) => HostConfig.NetworkMode,
    "container:nobody",
  ],
  [
    "the host's UTS namespace",
    { HostConfig: { UTSMode: "host" } },
    ({ Id, Config }) => Config.Hostname === Id.slice(0, 12),
    true,
  ],
  ["the host's network", { HostConfig: { NetworkMode: "host" } }, ({ Config }) => Config.Hostname, hostname()],
  [
    "CPUs with a space",
    { HostConfig: { CpusetCpus: " 0" } },
    "400 Invalid value  0 for cpuset cpus: invalid format:  0",
  ],
  [
    "CPUs beyond all machines",
    { HostConfig: { CpusetCpus: "0-9999" } },
    "400 Invalid value 0-9999 for cpuset cpus: value of out range, maximum is 8192",
  ],
  [
    "an address in brackets",
    { HostConfig: { ExtraHosts: ["h:[::1]"] } },
    '400 invalid IP address in add-host: "[::1]"',
  ],
  [
    "an address with a zone",
    { HostConfig: { ExtraHosts: ["h:fe80::1%eth0"] } },
    '400 invalid IP address in add-host: "fe80::1%eth0"',
  ],
  ["a negative signal", { StopSignal: "-1" }, ({ Config }) => Config.StopSignal, "-1"],
  [
    "a port binding of nothing",
    { HostConfig: { PortBindings: { "80/tcp": [null] } } },
    ({ HostConfig }) => HostConfig.PortBindings,
    { "80/tcp": [{ HostIp: "", HostPort: "" }] },
  ],
  ["no variables", { Env: [] }, ({ Config }) => Config.Env, null],
  ["a volume at a relative path", { Volumes: { v: {} } }, ({ Mounts }) => Mounts[0].Destination, "v"],
  ["a volume nowhere", { Volumes: { "": {} } }, ({ Mounts }) => Mounts[0].Destination, "."],
];

describe("creation of containers", () => {
  before(() =>
    Promise.all([
      shared.ok(["run", "-d", "--name", donor, "busybox", "sleep", "1000"]),
      shared.ok(["create", "--name", idle, "busybox"]),
    ]),
  );
  after(() => shared.docker(["rm", "-f", donor, idle]));

  for (const [what, body, seen, value] of cases) {
    it(what, async () => {
      const { status, text } = await call("POST", "/containers/create", { Image: "busybox", Cmd: ["true"], ...body });
      const answer = JSON.parse(text) as { Id?: string; message?: string };
      try {
        if (typeof seen === "string") return assert.equal(`${status} ${answer.message}`, seen);
        assert.equal(status, 201, text);
        assert.deepEqual(seen(JSON.parse((await call("GET", `/containers/${answer.Id}/json`)).text) as Json), value);
      } finally {
        if (answer.Id !== undefined) await call("DELETE", `/containers/${answer.Id}?force=1&v=1`);
      }
    });
  }

  it("makes the working directory", async () => {
    const id = await shared.ok(["create", "-w", "/made/before/start", "busybox"]);
    try {
      assert.equal((await call("HEAD", `/containers/${id}/archive?path=/made/before/start`)).status, 200);
      assert.deepEqual((await shared.ok(["diff", id])).split("\n"), [
        "A /made",
        "A /made/before",
        "A /made/before/start",
      ]);
    } finally {
      await shared.docker(["rm", id]);
    }
  });

  it("shows no limit of processes after an update as zero", async () => {
    for (const limit of [-5, 0]) {
      assert.equal((await call("POST", `/containers/${idle}/update`, { PidsLimit: limit })).status, 200);
      assert.equal(await shared.ok(["inspect", "-f", "{{.HostConfig.PidsLimit}}", idle]), "0");
    }
  });

  const updates: [has: object, asked: object, answer: string][] = [
    [
      { NanoCpus: 500_000_000 },
      { CpuPeriod: 50_000 },
      "409 Cannot update container ID: Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
    ],
    [
      { NanoCpus: 500_000_000 },
      { CpuQuota: 20_000 },
      "409 Cannot update container ID: Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set",
    ],
    [
      { CpuPeriod: 100_000, CpuQuota: 50_000 },
      { NanoCpus: 1_000_000_000 },
      "409 Cannot update container ID: Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set",
    ],
    [
      { NanoCpus: 500_000_000 },
      { NanoCpus: 500_000_000, CpuQuota: 20_000 },
      "400 Conflicting options: Nano CPUs and CPU Quota cannot both be set",
    ],
    [
      { Memory: 100_000_000 },
      { Memory: 300_000_000 },
      "409 Cannot update container ID: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    ],
    [{ Memory: 100_000_000 }, { MemorySwap: 50_000_000 }, "200 undefined"],
    [
      {},
      { IOMaximumIOps: 5 },
      "400 Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps",
    ],
    [{}, { RestartPolicy: { Name: "", MaximumRetryCount: 3 } }, "200 undefined"],
    [
      { AutoRemove: true },
      { RestartPolicy: { Name: "always" } },
      "409 Cannot update container ID: Restart policy cannot be updated because AutoRemove is enabled for the container",
    ],
  ];
  for (const [HostConfig, asked, expected] of updates) {
    it(`answers an update to ${JSON.stringify(asked)} where there was ${JSON.stringify(HostConfig)}`, async () => {
      const { Id } = JSON.parse((await call("POST", "/containers/create", { Image: "busybox", HostConfig })).text) as {
        Id: string;
      };
      try {
        const { status, text } = await call("POST", `/containers/${Id}/update`, asked);
        assert.equal(`${status} ${(JSON.parse(text) as { message?: string }).message}`.replace(Id, "ID"), expected);
      } finally {
        await call("DELETE", `/containers/${Id}?force=1`);
      }
    });
  }

  const starts: [what: string, hostConfig: object, answer: string][] = [
    [
      "processes of a container that does not run",
      { PidMode: `container:${idle}` },
      "500 failed to join PID namespace: container ID is not running",
    ],
    [
      "IPC of a container that does not run",
      { IpcMode: `container:${idle}` },
      "409 failed to join IPC namespace: container ID is not running",
    ],
    [
      "network of a container that does not run",
      { NetworkMode: `container:${idle}` },
      `409 cannot join network namespace of a non running container: container ${idle} is created`,
    ],
    [
      "a device that is not there",
      { Devices: [{ PathOnHost: "/no/such", PathInContainer: "/x", CgroupPermissions: "rwm" }] },
      '500 error gathering device information while adding custom device "/no/such": no such file or directory',
    ],
    [
      "a mount that is read-only in its depth alone",
      { Mounts: [{ Type: "bind", Source: "/usr", Target: "/x", BindOptions: { ReadOnlyNonRecursive: true } }] },
      "500 mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive",
    ],
  ];
  for (const [what, HostConfig, expected] of starts) {
    it(`does not start with the ${what}`, async () => {
      const { Id } = JSON.parse((await call("POST", "/containers/create", { Image: "busybox", HostConfig })).text) as {
        Id: string;
      };
      try {
        const { status, text } = await call("POST", `/containers/${Id}/start`);
        assert.equal(
          `${status} ${(JSON.parse(text) as { message: string }).message.replaceAll(/[0-9a-f]{64}/g, "ID")}`,
          expected,
        );
        assert.equal(await shared.ok(["inspect", "-f", "{{.State.ExitCode}}", Id]), "128");
      } finally {
        await call("DELETE", `/containers/${Id}?force=1`);
      }
    });
  }
});

describe("all ports published one by one", () => {
  const name = "e2e-create-ports";
  after(() => shared.docker(["rm", "-f", name]));

  it("are taken at create, and shown by inspect", async function () {
    this.timeout(60_000);
    await shared.ok(["create", "--name", name, "-p", "1-65535:1-65535", "busybox", "true"]);
    const format = "{{len .HostConfig.PortBindings}} {{len .Config.ExposedPorts}}";
    assert.equal(await shared.ok(["inspect", "-f", format, name]), "65535 65535");
  });
});
