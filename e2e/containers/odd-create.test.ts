import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";

const { api } = shared;

type Json = Record<string, any>;

/** What of a container is looked at: its answer to create and to start, then what inspect shows after each. */
interface Seen {
  created: Json;
  start: string;
  started: Json;
}

const seccomp = (profile: string): object => ({ HostConfig: { SecurityOpt: [`seccomp=${profile}`] } });
const dns = (...Dns: string[]): object => ({ HostConfig: { Dns } });
const ports = (PortBindings: object, ...exposed: string[]): object => ({
  ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])),
  HostConfig: { NetworkMode: "bridge", PortBindings },
});
const decoding = "500 Decoding seccomp profile failed: ";
const start = ({ start: answer }: Seen): unknown => answer;
const published = ({ started }: Seen): unknown =>
  Object.fromEntries(
    Object.entries(started["NetworkSettings"].Ports as Record<string, { HostIp: string }[] | null>).map(
      ([port, bindings]) => [port, bindings?.[0]?.HostIp ?? null],
    ),
  );

/** What is sent beside image and command, and what is seen then: all of it as the real engine answers. */
const cases: [what: string, body: object, look: (seen: Seen) => unknown, value: unknown][] = [
  ["a name server that is a word", dns("x"), start, '500 bad nameserver address x: ParseAddr("x"): unable to parse IP'],
  [
    "a name server with a port",
    dns("8.8.8.8", "8.8.8.8:53"),
    start,
    '500 bad nameserver address 8.8.8.8:53: ParseAddr("8.8.8.8:53"): unexpected character (at ":53")',
  ],
  ["no name server", dns(""), start, '500 bad nameserver address : ParseAddr(""): unable to parse IP'],
  [
    "a log that is not kept, with options",
    { HostConfig: { LogConfig: { Type: "none", Config: { x: "y", mode: "z" } } } },
    start,
    "204 ",
  ],
  ["a device request without devices", { HostConfig: { DeviceRequests: [{ Driver: "cdi" }] } }, start, "204 "],
  [
    "an ulimit without a name",
    { HostConfig: { Ulimits: [{}] } },
    ({ created }) => created["HostConfig"].Ulimits,
    [{ Name: "", Hard: 0, Soft: 0 }],
  ],
  [
    "a device that is null",
    { HostConfig: { Devices: [null] } },
    start,
    '500 error gathering device information while adding custom device "": no such file or directory',
  ],
  [
    "a limit of a device that is not named",
    { HostConfig: { BlkioDeviceReadBps: [{}] } },
    start,
    "500 stat : no such file or directory",
  ],
  [
    "an exposed port that is null",
    { ExposedPorts: { "80/tcp": null } },
    ({ created }) => created["Config"].ExposedPorts,
    { "80/tcp": {} },
  ],
  ["bindings of a port that is not exposed", ports({ "80/tcp": [{}] }), published, {}],
  [
    "bindings of a protocol that nobody speaks, of a port that is not exposed",
    ports({ "80/foo": [{}] }),
    start,
    "204 ",
  ],
  [
    "an address of the host that is none",
    ports({ "80/tcp": [{ HostIp: "x" }] }, "80/tcp"),
    published,
    { "80/tcp": "0.0.0.0" },
  ],
  [
    "an address of the host with a zone",
    ports({ "80/tcp": [{ HostIp: "::1%lo" }] }, "80/tcp"),
    published,
    { "80/tcp": "0.0.0.0" },
  ],
  [
    "a volume that is asked for by its place alone",
    { HostConfig: { Binds: ["/x"] } },
    ({ created: { Mounts } }) => [
      Mounts[0].Type,
      Mounts[0].Name,
      Mounts[0].Destination,
      Mounts[0].Source.endsWith("/_data"),
    ],
    ["volume", undefined, "/x", true],
  ],
  [
    "an image that is mounted, before the start and after it",
    { HostConfig: { Mounts: [{ Type: "image", Source: "busybox", Target: "/a" }] } },
    ({ created, started }) =>
      created["Mounts"][0].Source !== "" && created["Mounts"][0].Source === started["Mounts"][0].Source,
    true,
  ],
  [
    "no network at all",
    { NetworkDisabled: true, HostConfig: { NetworkMode: "bridge" } },
    ({ created, start: answer, started }) => [
      created["NetworkSettings"].Networks,
      answer,
      started["NetworkSettings"].SandboxID,
      started["ResolvConfPath"],
    ],
    [{}, "204 ", "", ""],
  ],
  [
    "the addresses of another container, once it has stopped",
    {
      HostConfig: { NetworkMode: "bridge" },
      NetworkingConfig: { EndpointsConfig: { bridge: { EndpointID: "y", Gateway: "1.1.1.1", IPAddress: "1.1.1.2" } } },
    },
    ({ created, started }) => [created["NetworkSettings"].IPAddress, started["NetworkSettings"].IPAddress],
    ["1.1.1.2", ""],
  ],
  ["a profile that is null", seccomp("null"), start, "204 "],
  [
    "a profile that is a list",
    seccomp("[]"),
    start,
    `${decoding}json: cannot unmarshal array into Go value of type seccomp.Seccomp`,
  ],
  ["a profile that is no JSON", seccomp("x"), start, `${decoding}invalid character 'x' looking for beginning of value`],
  ["a profile that ends early", seccomp('{"defaultAction":"x"'), start, `${decoding}unexpected end of JSON input`],
];

const answerOf = ({ status, body }: { status: number; body: Buffer }): string => {
  const text = body.toString();
  return `${status} ${text.startsWith("{") ? ((JSON.parse(text) as Json)["message"] as string) : text.trim()}`;
};

/** Creates a container, starts it, waits for its end and removes it. */
async function live(body: object): Promise<Seen> {
  const id = await api.create({ Image: "busybox", Cmd: ["sleep", "60"], ...body });
  try {
    const created = await api.get<Json>(`/containers/${id}/json`);
    const answer = answerOf(await api.ask("POST", `/containers/${id}/start`));
    const running = await api.get<Json>(`/containers/${id}/json`);
    await api.ask("POST", `/containers/${id}/kill`);
    await api.wait(id);
    const ended = await api.get<Json>(`/containers/${id}/json`);
    const { Ports } = running["NetworkSettings"] as Json;
    return { created, start: answer, started: { ...ended, NetworkSettings: { ...ended["NetworkSettings"], Ports } } };
  } finally {
    await api.ask("DELETE", `/containers/${id}?force=1&v=1`);
  }
}

describe("containers of odd requests", () => {
  it("are what the real engine makes of them", async () => {
    const seen = await Promise.all(cases.map(async ([what, body, look]) => [what, look(await live(body))] as const));
    assert.deepEqual(Object.fromEntries(seen), Object.fromEntries(cases.map(([what, , , value]) => [what, value])));
  });

  it("need no image: their file system begins empty, and a commit makes one of it", async () => {
    const name = "e2e-scratch";
    const id = await api.create({
      Cmd: ["/bin/busybox", "sh", "-c", "echo made >/made"],
      HostConfig: { Binds: ["/bin/busybox:/bin/busybox:ro"], NetworkMode: "none" },
    });
    try {
      const { Image, Config, ImageManifestDescriptor } = await api.get<Json>(`/containers/${id}/json`);
      assert.deepEqual([Image, Config.Image, Config.Labels, ImageManifestDescriptor], ["", "", null, undefined]);
      await api.call("POST", `/containers/${id}/start`);
      assert.equal(await api.wait(id), 0);
      const [listed] = await api.get<Json[]>(`/containers/json?all=1&filters={"id":["${id}"]}`);
      assert.deepEqual([listed?.["Image"], listed?.["ImageID"], listed?.["Labels"]], ["", "", null]);
      await api.call("POST", `/commit?container=${id}&repo=${name}`);
      const image = await api.get<Json>(`/images/${name}/json`);
      assert.deepEqual([image["Parent"], image["RootFS"].Layers.length, image["Os"]], ["", 1, "linux"]);
      const history = await api.get<Json[]>(`/images/${name}/history`);
      assert.deepEqual(
        history.map(({ CreatedBy }) => CreatedBy),
        ["/bin/busybox sh -c echo made >/made"],
      );
    } finally {
      await api.ask("DELETE", `/containers/${id}?force=1`);
      await api.ask("DELETE", `/images/${name}`);
    }
    const { status, body } = await api.ask("POST", "/containers/create", { Image: "" });
    assert.deepEqual([status, (JSON.parse(body.toString()) as Json)["message"]], [400, "no command specified"]);
  });
});
