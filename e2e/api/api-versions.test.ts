import assert from "node:assert/strict";
import { request } from "node:http";
import { WebSocket } from "ws";
import { type ApiChange, apiChanges } from "../../apps/engine/src/server/version/api-changes.ts";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

const socketPath = shared.host.replace("unix://", "");

/** @param version of the API; empty: the newest */
function call(
  version: string,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { "Content-Type": "application/json" };
    const outgoing = request(
      {
        socketPath,
        method,
        path: version === "" ? path : `/v${version}${path}`,
        agent: false,
        headers: { ...json, ...headers },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on("error", reject);
      },
    );
    outgoing.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: "" });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

type Json = Record<string, any>;

async function get(version: string, path: string): Promise<any> {
  const { status, text } = await call(version, "GET", path);
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

const refused = ({ status, text }: Answer): string => `${status} ${(JSON.parse(text) as { message: string }).message}`;

/** What a create says that is refused, else what `pick` finds in the inspect of what it made, and its warnings. */
async function created(
  version: string,
  body: object,
  pick: (container: Json, warnings: string[]) => unknown,
  query = "",
): Promise<unknown> {
  const answer = await call(version, "POST", `/containers/create${query}`, {
    Image: "busybox",
    Cmd: ["true"],
    ...body,
  });
  if (answer.status !== 201) return refused(answer);
  const { Id, Warnings } = JSON.parse(answer.text) as { Id: string; Warnings: string[] };
  try {
    return pick(await get("", `/containers/${Id}/json`), Warnings);
  } finally {
    await call("", "DELETE", `/containers/${Id}?force=1&v=1`);
  }
}

const mount = (mounted: object): object => ({ HostConfig: { Mounts: [mounted] } });
const bind = (options: object, more: object = {}): object =>
  mount({ Type: "bind", Source: "/usr", Target: "/x", BindOptions: options, ...more });
const bindOptions = ({ HostConfig }: Json): unknown => HostConfig.Mounts[0].BindOptions;
const bridge = (settings: object): object => ({ NetworkingConfig: { EndpointsConfig: { bridge: settings } } });
const filters = (value: object): string => `filters=${encodeURIComponent(JSON.stringify(value))}`;
const arm = encodeURIComponent('{"os":"linux","architecture":"arm64"}');

const running = "e2e-versions-running";
const stopped = "e2e-versions-stopped";
const network = "e2e-versions";
const nameless = "e2e-versions-nameless";

const listed = async (version: string, path: string): Promise<Json> =>
  ((await get(version, path)) as Json[])[0] as Json;
const image = (version: string, query = ""): Promise<Json> =>
  listed(version, `/images/json?${filters({ reference: ["busybox"] })}${query}`);

async function updated(version: string, change: object): Promise<unknown> {
  const answer = await call(version, "POST", `/containers/${stopped}/update`, change);
  return answer.status === 200 ? (await get("", `/containers/${stopped}/json`)).HostConfig : refused(answer);
}

async function execMediaType(version: string): Promise<unknown> {
  const { Id } = JSON.parse(
    (await call("", "POST", `/containers/${running}/exec`, { Cmd: ["true"], AttachStdout: true })).text,
  ) as { Id: string };
  return (await call(version, "POST", `/exec/${Id}/start`, {}, { Connection: "Upgrade", Upgrade: "tcp" })).headers[
    "content-type"
  ];
}

async function execSize(version: string): Promise<string> {
  const body = { Cmd: ["stty", "size"], AttachStdout: true, Tty: true, ConsoleSize: [33, 44] };
  const { Id } = JSON.parse((await call(version, "POST", `/containers/${running}/exec`, body)).text) as { Id: string };
  return (await call("", "POST", `/exec/${Id}/start`, { Tty: true })).text.trim();
}

/** The first message by web socket: whether it is binary, or that none came before the end. */
async function webSocket(version: string, query: string): Promise<string> {
  const client = new WebSocket(`ws+unix:${socketPath}:/v${version}/containers/${stopped}/attach/ws?logs=1${query}`);
  return new Promise((resolve, reject) => {
    client.once("message", (_data, binary) => (client.terminate(), resolve(binary ? "binary" : "text")));
    client.once("close", () => resolve("nothing"));
    client.once("error", reject);
  });
}

/** The exit code of a container that tells its signals apart, after a stop that asks for another one than it has. */
async function stopWith(version: string): Promise<number> {
  const script = "trap 'exit 5' USR1; trap 'exit 6' TERM; echo up; sleep 1000 & wait";
  const id = await shared.ok(["run", "-d", "busybox", "sh", "-c", script]);
  try {
    await until("it listens to signals", async () => (await shared.api.logs(id)).includes("up"));
    await call(version, "POST", `/containers/${id}/stop?signal=USR1&t=20`);
    return (await get("", `/containers/${id}/json`)).State.ExitCode as number;
  } finally {
    await shared.docker(["rm", "-f", id]);
  }
}

async function imageEvents(version: string): Promise<string[]> {
  const since = Math.floor(Date.now() / 1000);
  const made = await call("", "POST", `/commit?container=${stopped}`, {});
  const { Id: id } = JSON.parse(made.text) as { Id: string };
  try {
    const { text } = await call(
      version,
      "GET",
      `/events?since=${since}&until=${Math.ceil(Date.now() / 1000)}&${filters({ type: ["image"] })}`,
    );
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { Action: string; Actor: { ID: string } })
      .filter(({ Actor }) => Actor.ID === id)
      .map(({ Action }) => Action);
  } finally {
    await call("", "DELETE", `/images/${id}`);
  }
}

async function prunedVolumes(version: string): Promise<unknown> {
  await call("", "POST", "/volumes/create", { Name: "e2e-versions-pruned", Labels: { "e2e-versions": "" } });
  const { text } = await call(version, "POST", `/volumes/prune?${filters({ label: ["e2e-versions"] })}`);
  await call("", "DELETE", "/volumes/e2e-versions-pruned");
  return (JSON.parse(text) as { VolumesDeleted: string[] }).VolumesDeleted;
}

async function clusterVolume(version: string): Promise<number> {
  const { status } = await call(version, "POST", "/volumes/create", {
    Name: "e2e-versions-cluster",
    ClusterVolumeSpec: {},
  });
  await call("", "DELETE", "/volumes/e2e-versions-cluster");
  return status;
}

async function withoutIPv4(version: string): Promise<unknown> {
  const { Id } = JSON.parse(
    (
      await call(version, "POST", "/networks/create", {
        Name: "e2e-versions-four",
        EnableIPv4: false,
        EnableIPv6: true,
      })
    ).text,
  ) as { Id: string };
  const { EnableIPv4 } = (await get("", `/networks/${Id}`)) as Json;
  await call("", "DELETE", `/networks/${Id}`);
  return EnableIPv4;
}

const has = (object: Json, key: string): boolean => Object.hasOwn(object, key);
const info =
  (pick: (info: Json) => unknown) =>
  async (version: string): Promise<unknown> =>
    pick(await get(version, "/info"));

interface Case {
  /** What a client of an API version sees. */
  see: (version: string) => Promise<unknown>;
  /** In the version before the change, and in the one that has it; a pattern is for text. */
  before: unknown;
  since: unknown;
}

/** The answers are the real engine's. */
const cases: Record<ApiChange, Case> = {
  infoSecurityOptionValues: {
    see: info(({ SecurityOptions }) => SecurityOptions.includes("seccomp")),
    before: true,
    since: false,
  },
  createAutoRemove: {
    see: (v) => created(v, { HostConfig: { AutoRemove: true } }, ({ HostConfig }) => HostConfig.AutoRemove),
    before: false,
    since: true,
  },
  networkListBrief: {
    see: async (v) =>
      Object.keys((await listed(v, `/networks?${filters({ name: [`^${network}$`] })}`))["Containers"]).length,
    before: 1,
    since: 0,
  },
  webSocketBinary: { see: (v) => webSocket(v, "&stdout=1"), before: "text", since: "binary" },
  waitCondition: {
    see: async (v) => (await call(v, "POST", `/containers/${stopped}/wait?condition=foo`)).status,
    before: 200,
    since: 400,
  },
  pullPlatform: {
    see: async (v) =>
      (await call(v, "POST", "/images/create?fromImage=127.0.0.1:1/e2e-versions&tag=x&platform=foo")).status,
    before: 500,
    since: 400,
  },
  createIpcDefault: {
    see: (v) => created(v, {}, ({ HostConfig }) => HostConfig.IpcMode),
    before: "shareable",
    since: "private",
  },
  createNonRecursiveBind: {
    see: (v) => created(v, bind({ NonRecursive: true }), bindOptions),
    before: {},
    since: { NonRecursive: true },
  },
  createKernelMemoryTcp: {
    see: (v) =>
      created(v, { HostConfig: { KernelMemoryTCP: 10_000_000 } }, ({ HostConfig }) => HostConfig.KernelMemoryTCP),
    before: undefined,
    since: 10_000_000,
  },
  updatePidsLimit: {
    see: async (v) =>
      ((await updated("", { PidsLimit: 55 }), await updated(v, { PidsLimit: 77 })) as Json)["PidsLimit"],
    before: 55,
    since: 77,
  },
  createCgroupnsDefault: {
    see: (v) => created(v, {}, ({ HostConfig }) => /^(host|private)$/.test(HostConfig.CgroupnsMode)),
    before: true,
    since: true,
  },
  createPlatform: {
    see: (v) => created(v, {}, () => "made", "?platform=foo"),
    before: "made",
    since: '400 "foo": unknown operating system or architecture: invalid argument',
  },
  statsOneShot: {
    see: async (v) =>
      (await call(v, "GET", `/containers/${stopped}/stats?stream=0&one-shot=1`)).status + (await streamsOnce(v)),
    before: "200 streams",
    since: "200 refused",
  },
  imageListWithoutFilter: {
    see: async (v) => ((await get(v, "/images/json?filter=no-such-image")) as Json[]).length > 0,
    before: false,
    since: true,
  },
  createBindMountpoint: {
    see: (v) =>
      created(
        v,
        mount({ Type: "bind", Source: "/e2e-versions-missing", Target: "/x", BindOptions: { CreateMountpoint: true } }),
        bindOptions,
      ),
    before: '400 invalid mount config for type "bind": bind source path does not exist: /e2e-versions-missing',
    since: { CreateMountpoint: true },
  },
  createMountOptionsChecked: {
    see: (v) => created(v, mount({ Type: "tmpfs", Target: "/x", VolumeOptions: {} }), ({ Mounts }) => Mounts[0].Type),
    before: "tmpfs",
    since: '400 VolumeOptions must not be specified on mount type "tmpfs"',
  },
  createConsoleSize: {
    see: (v) => created(v, { HostConfig: { ConsoleSize: [10, 20] } }, ({ HostConfig }) => HostConfig.ConsoleSize),
    before: [0, 0],
    since: [10, 20],
  },
  withoutKernelMemory: {
    see: (v) => created(v, { HostConfig: { KernelMemory: 1 } }, ({ HostConfig }) => HostConfig.KernelMemory),
    before: /^400 Minimum kernel memory limit allowed is 6MB$|^undefined$/,
    since: undefined,
  },
  stopSignal: { see: stopWith, before: 6, since: 5 },
  execConsoleSize: { see: async (v) => (await execSize(v)) === "33 44", before: false, since: true },
  multiplexedMediaType: {
    see: async (v) => [
      (await call(v, "GET", `/containers/${stopped}/logs?stdout=1`)).headers["content-type"],
      await execMediaType(v),
      (
        await call(v, "POST", `/containers/${running}/attach?stream=1`, undefined, {
          Connection: "Upgrade",
          Upgrade: "tcp",
        })
      ).headers["content-type"],
    ],
    before: Array(3).fill("application/vnd.docker.raw-stream"),
    since: Array(3).fill("application/vnd.docker.multiplexed-stream"),
  },
  webSocketStreams: { see: (v) => webSocket(v, ""), before: "binary", since: "nothing" },
  imageListSharedSize: {
    see: async (v) => (await image(v, "&shared-size=1"))["SharedSize"] >= 0,
    before: false,
    since: true,
  },
  diskUsageType: { see: async (v) => (await call(v, "GET", "/system/df?type=foo")).status, before: 200, since: 400 },
  diskUsageWithoutBuilderSize: {
    see: async (v) => has(await get(v, "/system/df"), "BuilderSize"),
    before: true,
    since: false,
  },
  volumePruneAnonymous: { see: prunedVolumes, before: ["e2e-versions-pruned"], since: [] },
  clusterVolumes: { see: clusterVolume, before: 201, since: 503 },
  createAnnotations: {
    see: (v) => created(v, { HostConfig: { Annotations: { a: "b" } } }, ({ HostConfig }) => HostConfig.Annotations),
    before: undefined,
    since: { a: "b" },
  },
  imageListNameless: {
    see: async (v) => {
      const { RepoTags, RepoDigests } = await listed(v, `/images/json?${filters({ label: [nameless] })}`);
      return [RepoTags, RepoDigests];
    },
    before: [["<none>:<none>"], ["<none>@<none>"]],
    since: [[], []],
  },
  createStartInterval: {
    see: (v) =>
      created(v, { Healthcheck: { Test: ["CMD", "true"], StartInterval: 5 } }, ({ Config }) => Config.Healthcheck),
    before: { Test: ["CMD", "true"] },
    since: "400 StartInterval in Healthcheck cannot be less than 1ms",
  },
  createRecursiveReadOnly: {
    see: (v) => created(v, bind({}, { ReadOnly: true }), bindOptions),
    before: { ReadOnlyNonRecursive: true },
    since: {},
  },
  createEndpoints: {
    see: (v) =>
      created(
        v,
        { NetworkingConfig: { EndpointsConfig: { bridge: {}, [network]: {} } } },
        ({ NetworkSettings }) => Object.keys(NetworkSettings.Networks).length,
      ),
    before: /^400 Container cannot be created with multiple network endpoints: /,
    since: 2,
  },
  createEndpointMacAddress: {
    see: (v) =>
      created(
        v,
        bridge({ MacAddress: "02:42:ac:11:00:77" }),
        ({ NetworkSettings }) => NetworkSettings.Networks.bridge.MacAddress,
      ),
    before: "",
    since: "02:42:ac:11:00:77",
  },
  infoRuntimeStatus: { see: info(({ Runtimes }) => has(Runtimes.runc, "status")), before: false, since: true },
  withoutVirtualSize: {
    see: async (v) => [
      has(await image(v), "VirtualSize"),
      has(await get(v, "/images/busybox/json"), "VirtualSize"),
      has((await get(v, "/system/df")).Images[0], "VirtualSize"),
    ],
    before: [true, true, true],
    since: [false, false, false],
  },
  createVolumeSubpath: {
    see: (v) =>
      created(
        v,
        mount({ Type: "volume", Source: "e2e-versions", Target: "/x", VolumeOptions: { Subpath: "a" } }),
        ({ HostConfig }) => HostConfig.Mounts[0].VolumeOptions,
      ),
    before: "400 VolumeOptions.Subpath needs API v1.45 or newer",
    since: { Subpath: "a" },
  },
  inspectGivenAliases: {
    see: async (v) =>
      (await get(v, `/containers/${running}/json`)).NetworkSettings.Networks[network].Aliases.map((alias: string) =>
        /^[0-9a-f]{12}$/.test(alias) ? "ID" : alias,
      ),
    before: ["given", "ID", "host"],
    since: ["given"],
  },
  containerListAnnotations: {
    see: async (v) => (await listed(v, `/containers/json?${filters({ name: [running] })}`))["HostConfig"].Annotations,
    before: undefined,
    since: { note: "kept" },
  },
  pushPlatform: {
    see: async (v) =>
      (
        await call(v, "POST", "/images/127.0.0.1:1/e2e-versions/push?platform=bad", undefined, {
          "X-Registry-Auth": "e30=",
        })
      ).status === 400,
    before: false,
    since: true,
  },
  infoContainerd: { see: info((all) => has(all, "Containerd")), before: false, since: true },
  imageCreateEvents: { see: async (v) => (await imageEvents(v)).includes("create"), before: false, since: true },
  imageListManifests: {
    see: async (v) => has(await image(v, "&manifests=1"), "Manifests"),
    before: false,
    since: true,
  },
  infoWithoutNondistributable: {
    see: info(({ RegistryConfig }) => RegistryConfig.AllowNondistributableArtifactsCIDRs),
    before: null,
    since: undefined,
  },
  createGatewayPriority: {
    see: (v) =>
      created(v, bridge({ GwPriority: 7 }), ({ NetworkSettings }) => NetworkSettings.Networks.bridge.GwPriority),
    before: 0,
    since: 7,
  },
  createImageMounts: {
    see: (v) => created(v, mount({ Type: "image", Source: "busybox", Target: "/x" }), ({ Mounts }) => Mounts[0].Type),
    before: '400 Mount type "Image" needs API v1.48 or newer',
    since: "image",
  },
  createVolumeDriverWarning: {
    see: (v) =>
      created(
        v,
        { HostConfig: { VolumeDriver: "local", Mounts: [{ Type: "volume", Target: "/x" }] } },
        (_container, warnings) => warnings.length,
      ),
    before: 0,
    since: 1,
  },
  createEndpointSysctls: {
    see: (v) =>
      created(
        v,
        { HostConfig: { Sysctls: { "net.ipv4.conf.eth0.forwarding": "1" } } },
        ({ NetworkSettings }) => NetworkSettings.Networks.bridge.DriverOpts,
      ),
    before: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1" },
    since: `500 interface specific sysctl setting "net.ipv4.conf.eth0.forwarding" must be supplied using driver option 'com.docker.network.endpoint.sysctls'`,
  },
  containerManifestDescriptor: {
    see: async (v) => [
      has(await get(v, `/containers/${running}/json`), "ImageManifestDescriptor"),
      has(await listed(v, "/containers/json"), "ImageManifestDescriptor"),
    ],
    before: [false, false],
    since: [true, true],
  },
  networkEnableIPv4: { see: withoutIPv4, before: true, since: false },
  imageTransferPlatform: {
    see: async (v) => [
      (await call(v, "GET", `/images/busybox/history?platform=${arm}`)).status,
      (await call(v, "GET", "/images/busybox/get?platform=a&platform=b")).status,
    ],
    before: [200, 200],
    since: [404, 400],
  },
  imageInspectManifests: {
    see: async (v) => has(await get(v, "/images/busybox/json?manifests=1"), "Manifests"),
    before: false,
    since: true,
  },
  imageDescriptor: {
    see: async (v) => [has(await image(v), "Descriptor"), has(await get(v, "/images/busybox/json"), "Descriptor")],
    before: [false, false],
    since: [true, true],
  },
  imageInspectPlatform: {
    see: async (v) => (await call(v, "GET", `/images/busybox/json?platform=${arm}`)).status,
    before: 200,
    since: 404,
  },
  infoFirewallBackend: { see: info((all) => has(all, "FirewallBackend")), before: false, since: true },
  infoWithoutExpectedCommits: {
    see: info(({ RuncCommit }) => has(RuncCommit, "Expected")),
    before: true,
    since: false,
  },
  infoWithoutBridgeNetfilter: {
    see: info(({ BridgeNfIptables }) => BridgeNfIptables),
    before: false,
    since: undefined,
  },
  imageInspectBriefConfig: {
    see: async (v) => has((await get(v, "/images/busybox/json")).Config, "Hostname"),
    before: true,
    since: false,
  },
  imageRemovePlatforms: {
    see: async (v) => (await call(v, "DELETE", "/images/no-such-image?platforms=bad")).status,
    before: 404,
    since: 400,
  },
  imageListContainers: { see: async (v) => (await image(v))["Containers"] > 0, before: false, since: true },
};

/** A stream of one sample is a contradiction, where such samples are known. */
async function streamsOnce(version: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(
    { socketPath, path: `/v${version}/containers/${stopped}/stats?stream=1&one-shot=1`, agent: false },
    (response) => {
      resolve(response.statusCode === 200 ? " streams" : " refused");
      response.destroy();
    },
  );
  outgoing.on("error", reject);
  outgoing.end();
  return promise;
}

describe("what older API versions see", () => {
  before(async () => {
    await shared.ok(["network", "create", network]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      running,
      "--hostname",
      "host",
      "--network",
      network,
      "--network-alias",
      "given",
      "--annotation",
      "note=kept",
      "busybox",
      "sleep",
      "1000",
    ]);
    await shared.ok(["run", "--name", stopped, "--pids-limit", "55", "busybox", "echo", "printed"]);
    const made = await call(
      "",
      "POST",
      `/images/create?fromSrc=-&changes=${encodeURIComponent(`LABEL ${nameless}=1`)}`,
      undefined,
      { "Content-Type": "application/x-tar" },
    );
    assert.equal(made.status, 200, made.text);
  });
  after(async () => {
    await shared.docker(["rm", "-f", running, stopped]);
    await shared.docker(["network", "rm", network]);
    await shared.docker(["volume", "rm", "e2e-versions"]);
    for (const { Id } of (await get("", `/images/json?${filters({ label: [nameless] })}`)) as { Id: string }[])
      await call("", "DELETE", `/images/${Id}`);
  });

  for (const [change, { see, before: older, since }] of Object.entries(cases) as [ApiChange, Case][]) {
    const version = apiChanges[change];
    const previous = `1.${Number(version.split(".")[1]) - 1}`;
    it(`${change}, since ${version}`, async () => {
      for (const [asked, expected] of [
        [previous, older],
        [version, since],
      ] as const) {
        const seen = await see(asked);
        if (expected instanceof RegExp) assert.match(String(seen), expected, `API ${asked}`);
        else assert.deepEqual(seen, expected, `API ${asked}`);
      }
    });
  }
});
