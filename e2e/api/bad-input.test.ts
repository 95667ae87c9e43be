import assert from "node:assert/strict";
import { request } from "node:http";
import { shared } from "../engine/shared.ts";

interface Answer {
  status: number;
  message: string;
}

function call(
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: shared.host.replace("unix://", ""),
        method,
        path,
        headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          let message = text;
          try {
            message = (JSON.parse(text) as { message?: string }).message ?? text;
          } catch {
            // not every answer is JSON
          }
          resolve({ status: response.statusCode ?? 0, message });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Requests that the engine must refuse, with the real engine's status and message. */
const cases: [
  what: string,
  method: string,
  path: string,
  body: string | undefined,
  status: number,
  message: string | RegExp,
][] = [
  ["broken JSON", "POST", "/v1.51/containers/create", '{"Image": ', 400, /^invalid JSON: /],
  ["no body", "POST", "/v1.51/containers/create", "", 400, "invalid JSON: got EOF while reading request body"],
  ["null", "POST", "/v1.51/containers/create", "null", 400, "config cannot be empty in order to create a container"],
  [
    "trailing data",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox"}{"x":1}',
    400,
    "unexpected content after JSON",
  ],
  [
    "unknown image",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"no-such-image"}',
    404,
    "No such image: no-such-image:latest",
  ],
  [
    "bad image name",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"UPPER"}',
    400,
    /^invalid reference format: repository name \(library\/UPPER\) must be lowercase$/,
  ],
  [
    "bad container name",
    "POST",
    "/v1.51/containers/create?name=-x",
    '{"Image":"busybox"}',
    400,
    "Invalid container name (-x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
  ],
  [
    "image mount before its API version",
    "POST",
    "/v1.47/containers/create",
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"image","Source":"busybox","Target":"/i"}]}}',
    400,
    'Mount type "Image" needs API v1.48 or newer',
  ],
  [
    "image mount of no image",
    "POST",
    "/v1.48/containers/create",
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"image","Source":"no-such-image","Target":"/i"}]}}',
    404,
    "No such image: no-such-image:latest",
  ],
  [
    "image mount without a source",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"image","Target":"/i"}]}}',
    400,
    'invalid mount config for type "image": field Source must not be empty',
  ],
  [
    "image options of a bind",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"bind","Source":"/tmp","Target":"/i","ImageOptions":{}}]}}',
    400,
    'invalid mount config for type "bind": field ImageOptions must not be specified',
  ],
  [
    "a volume's size that is none",
    "POST",
    "/v1.51/volumes/create",
    '{"Name":"sized","DriverOpts":{"size":"abc"}}',
    400,
    "create sized: invalid size: 'abc'",
  ],
  [
    "volumes from nobody",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"VolumesFrom":[":ro"]}}',
    400,
    'invalid name or ID supplied: ""',
  ],
  [
    "a size where no quota is",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"StorageOpt":{"size":"1G"}}}',
    500,
    "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
  ],
  [
    "a storage option that nobody knows",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"StorageOpt":{"foo":"1G"}}}',
    500,
    "Unknown option foo",
  ],
  [
    "a platform that is none",
    "POST",
    "/v1.51/images/create?fromImage=busybox&platform=bogus",
    undefined,
    400,
    '"bogus": unknown operating system or architecture: invalid argument',
  ],
  ["saving nothing", "GET", "/v1.51/images/get?names=no-such-image", undefined, 404, "No such image: no-such-image"],
  [
    "a fixed address on the default network",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"bridge":{"IPAMConfig":{"IPv4Address":"1.2.3.4"}}}}}',
    400,
    "invalid config for network bridge: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* no configured subnet or ip-range contain the IP address 1.2.3.4",
  ],
  [
    "a fixed address without a network",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"NetworkMode":"none"},"NetworkingConfig":{"EndpointsConfig":{"none":{"IPAMConfig":{"IPv4Address":"1.2.3.4"}}}}}',
    400,
    "invalid config for network none: invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* user specified IP address is supported only when connecting to networks with user configured subnets",
  ],
  ["inspect of no plugin", "GET", "/v1.51/plugins/x/json", undefined, 404, 'plugin "x" not found'],
  ["enabling no plugin", "POST", "/v1.51/plugins/some/one/enable", undefined, 404, 'plugin "some/one" not found'],
  ["pushing no plugin", "POST", "/v1.51/plugins/x/y/push", undefined, 404, 'plugin "x/y:latest" not found'],
  ["removing no plugin", "DELETE", "/v1.51/plugins/x", undefined, 404, 'plugin "x" not found'],
  [
    "a filter of ports that are none",
    "GET",
    `/v1.51/containers/json?filters=${encodeURIComponent('{"expose":["80-x/tcp"]}')}`,
    undefined,
    500,
    'error while looking up for expose 80-x/tcp: strconv.ParseUint: parsing "x": invalid syntax',
  ],
  ["a volume whose name has a slash", "GET", "/v1.51/volumes/UP/x", undefined, 404, "get UP/x: no such volume"],
  [
    "a new volume in place of a file",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"Mounts":[{"Type":"volume","Target":"/bin/busybox"}]}}',
    500,
    /^source .*\/bin\/busybox is not directory$/,
  ],
  [
    "a cluster volume",
    "POST",
    "/v1.51/volumes/create",
    '{"Name":"clustered","ClusterVolumeSpec":{}}',
    503,
    /^This node is not a swarm manager\./,
  ],
  [
    "a volume's option that is no text",
    "POST",
    "/v1.51/volumes/create",
    '{"Name":"typed","DriverOpts":{"type":5}}',
    400,
    "invalid JSON: json: cannot unmarshal number into Go struct field CreateOptions.DriverOpts.type of type string",
  ],
  [
    "too little memory",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"Memory":1000}}',
    400,
    "Minimum memory limit allowed is 6MB",
  ],
  [
    "auto-remove with a policy",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"AutoRemove":true,"RestartPolicy":{"Name":"always"}}}',
    400,
    "can't create 'AutoRemove' container with restart policy",
  ],
  [
    "unknown capability",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"CapAdd":["NO_SUCH"]}}',
    400,
    /unknown capability: "CAP_NO_SUCH"/,
  ],
  [
    "unknown runtime",
    "POST",
    "/v1.51/containers/create",
    '{"Image":"busybox","HostConfig":{"Runtime":"nope"}}',
    400,
    /unknown or invalid runtime name: nope/,
  ],
  [
    "a build, which is not served yet",
    "POST",
    "/v1.51/build",
    undefined,
    501,
    "building images is not supported by this engine",
  ],
  ["unknown container", "GET", "/v1.51/containers/nope/json", undefined, 404, "No such container: nope"],
  ["unknown exec", "GET", "/v1.51/exec/nope/json", undefined, 404, "No such exec instance: nope"],
  ["unknown network", "GET", "/v1.51/networks/nope", undefined, 404, "network nope not found"],
  ["unknown volume", "GET", "/v1.51/volumes/nope", undefined, 404, "get nope: no such volume"],
  ["unknown image to inspect", "GET", "/v1.51/images/nope/json", undefined, 404, "No such image: nope:latest"],
  ["unknown path", "GET", "/v1.51/no/such/path", undefined, 404, "page not found"],
  [
    "too new a version",
    "GET",
    "/v1.99/info",
    undefined,
    400,
    "client version 1.99 is too new. Maximum supported API version is 1.51",
  ],
  [
    "too old a version",
    "GET",
    "/v1.12/info",
    undefined,
    400,
    /client version 1\.12 is too old\. Minimum supported API version is 1\.24/,
  ],
  ["bad filter", "GET", "/v1.51/containers/json?filters=nonsense", undefined, 400, "invalid filter"],
  [
    "unknown filter",
    "GET",
    `/v1.51/containers/json?filters=${encodeURIComponent('{"nope":["x"]}')}`,
    undefined,
    400,
    "invalid filter 'nope'",
  ],
  [
    "logs of neither stream",
    "GET",
    "/v1.51/containers/CONTAINER/logs",
    undefined,
    400,
    "Bad parameters: you must choose at least one stream",
  ],
  ["exec without a command", "POST", "/v1.51/containers/CONTAINER/exec", "{}", 400, "No exec command specified"],
  [
    "kill of a stopped container",
    "POST",
    "/v1.51/containers/CONTAINER/kill",
    undefined,
    409,
    /^cannot kill container: CONTAINER: container [0-9a-f]{64} is not running$/,
  ],
  ["unknown signal", "POST", "/v1.51/containers/CONTAINER/kill?signal=NOPE", undefined, 400, /invalid signal: NOPE/],
  [
    "archive of nothing",
    "GET",
    "/v1.51/containers/CONTAINER/archive?path=/nowhere",
    undefined,
    404,
    /Could not find the file \/nowhere in container/,
  ],
];

describe("bad input", () => {
  const name = "e2e-bad-input";
  before(() => shared.ok(["create", "--name", name, "busybox", "true"]));
  after(() => shared.docker(["rm", "-f", name]));

  for (const [what, method, path, body, status, message] of cases) {
    it(what, async () => {
      const before = await shared.ok(["ps", "-aq"]);
      const answer = await call(method, path.replace("CONTAINER", name), body);
      const expected =
        typeof message === "string" ? message : new RegExp(message.source.replace("CONTAINER", name), message.flags);
      assert.equal(answer.status, status, answer.message);
      if (typeof expected === "string") assert.equal(answer.message.trim(), expected);
      else assert.match(answer.message.trim(), expected);
      assert.equal(await shared.ok(["ps", "-aq"]), before);
    });
  }

  for (const [what, request, status, message] of [
    [
      "a CDI device that nobody knows",
      '{"Driver":"cdi","DeviceIDs":["nvidia.com/gpu=all","b"]}',
      500,
      "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all, b",
    ],
    [
      "a device that no driver gives",
      '{"Driver":"","Count":-1,"Capabilities":[["gpu"]]}',
      500,
      'could not select device driver "" with capabilities: [[gpu]]',
    ],
  ] as const) {
    it(`${what}: created, never started`, async () => {
      const device = "e2e-bad-device";
      try {
        assert.equal(
          (
            await call(
              "POST",
              `/v1.51/containers/create?name=${device}`,
              `{"Image":"busybox","HostConfig":{"DeviceRequests":[${request}]}}`,
            )
          ).status,
          201,
        );
        assert.deepEqual(await call("POST", `/v1.51/containers/${device}/start`), { status, message });
      } finally {
        await shared.docker(["rm", device]);
      }
    });
  }

  it("a body of the wrong type", async () => {
    const answer = await call("POST", "/v1.51/containers/create", '{"Image":"busybox"}', {
      "Content-Type": "text/plain",
    });
    assert.deepEqual(answer, {
      status: 400,
      message: "unsupported Content-Type header (text/plain): must be 'application/json'",
    });
  });

  it("an oversized body does not bring the engine down", async () => {
    // The real engine takes it; refused or taken, the engine must still answer afterwards.
    await call(
      "POST",
      "/v1.51/containers/create?name=e2e-oversized",
      `{"Image":"busybox","Env":["X=${"x".repeat(64 << 20)}"]}`,
    ).catch(() => undefined);
    await shared.docker(["rm", "-f", "e2e-oversized"]);
    assert.equal((await call("GET", "/_ping")).message, "OK");
  });

  for (const [what, member] of [
    ["a layer with ../", "../escaped"],
    ["a layer with an absolute path", "/tmp/e2e-escaped"],
    ["a layer with a path through a symlink", "link/e2e-escaped"],
  ] as const) {
    it(what, async () => {
      const { mkdtempSync, rmSync, existsSync } = await import("node:fs");
      const { join } = await import("node:path");
      const dir = mkdtempSync("/tmp/e2e-evil-");
      try {
        const script = `
import sys, tarfile, io
t = tarfile.open(sys.argv[1], "w")
if sys.argv[2].startswith("link/"):
    l = tarfile.TarInfo("link"); l.type = tarfile.SYMTYPE; l.linkname = "/tmp"; t.addfile(l)
d = tarfile.TarInfo(sys.argv[2]); d.size = 4; t.addfile(d, io.BytesIO(b"evil"))
s = tarfile.TarInfo("sh"); s.size = 0; t.addfile(s)
t.close()`;
        const { must } = await import("../host/exec.ts");
        await must("python3", ["-c", script, join(dir, "evil.tar"), member]);
        await shared.docker(["import", join(dir, "evil.tar"), "e2e-evil"]);
        await shared.docker(["create", "--name", "e2e-evil", "e2e-evil", "/sh"]);
        for (const path of ["/tmp/e2e-escaped", "/tmp/escaped", "/escaped"]) assert.ok(!existsSync(path), path);
      } finally {
        rmSync(dir, { recursive: true });
        await shared.docker(["rm", "-f", "e2e-evil"]);
        await shared.docker(["rmi", "-f", "e2e-evil"]);
      }
    });
  }
});
