import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shared } from "../engine/shared.ts";
import { exec, must } from "../host/exec.ts";

type Json = Record<string, any>;

const name = "e2e-platforms";
const missing = (platform: string, shown = `${name}:latest`): string =>
  `image with reference ${shown} was found but does not provide the specified platform (${platform})`;

interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

const amd64: Platform = { os: "linux", architecture: "amd64" };
const arm64: Platform = { os: "linux", architecture: "arm64" };
const s390x: Platform = { os: "linux", architecture: "s390x" };

/** An archive of an index with an image for each platform. @returns its path, and the digests of the manifests */
async function archive(dir: string, platforms: readonly Platform[]): Promise<{ path: string; digests: string[] }> {
  const layout = join(dir, "layout");
  mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
  const put = (bytes: string | Buffer, mediaType: string): { mediaType: string; digest: string; size: number } => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(layout, "blobs/sha256", hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(bytes) };
  };
  const oci = (kind: string): string => `application/vnd.oci.image.${kind}`;
  const manifests = [];
  for (const platform of platforms) {
    writeFileSync(join(dir, "f"), platform.architecture);
    const { stdout } = await exec("sh", ["-c", `tar -C ${dir} -cf - f | base64 -w0`]);
    const layer = put(Buffer.from(stdout, "base64"), oci("layer.v1.tar"));
    const config = { ...platform, config: { Cmd: ["/f"] }, rootfs: { type: "layers", diff_ids: [layer.digest] } };
    const manifest = { schemaVersion: 2, config: put(JSON.stringify(config), oci("config.v1+json")), layers: [layer] };
    manifests.push({ ...put(JSON.stringify(manifest), oci("manifest.v1+json")), platform });
  }
  const index = put(JSON.stringify({ schemaVersion: 2, manifests }), oci("index.v1+json"));
  const annotations = { "io.containerd.image.name": `docker.io/library/${name}:latest` };
  writeFileSync(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layout, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
  );
  await must("tar", ["-C", layout, "-cf", join(dir, "image.tar"), "."]);
  return { path: join(dir, "image.tar"), digests: manifests.map(({ digest }) => digest) };
}

interface Answer {
  status: number;
  body: any;
}

function ask(version: string, method: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(
      {
        socketPath: shared.host.replace("unix://", ""),
        method,
        path: `/${version}${path}`,
        agent: false,
        headers: { "X-Registry-Auth": "e30=" },
      },
      (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (piece: string) => (text += piece));
        response.once("end", () => {
          const last = text.trim().split("\n").at(-1) ?? "";
          resolve({
            status: response.statusCode ?? 0,
            body: last.startsWith("{") || last.startsWith("[") ? JSON.parse(last) : text,
          });
        });
      },
    )
      .once("error", reject)
      .end();
  });
}

const wanted = (platform: unknown): string => encodeURIComponent(JSON.stringify(platform));
const message = ({ status, body }: Answer): string => `${status} ${String(body.message ?? body.error ?? "")}`.trim();
const architecture = ({ status, body }: Answer): string => `${status} ${String(body.Architecture ?? body.message)}`;

/** What each version of the API makes of a platform: as the real engine with containerd's image store answers. */
const cases: [what: string, method: string, path: string, look: (answer: Answer) => unknown, byVersion: Json][] = [
  ["inspect", "GET", `/json?platform=${wanted(arm64)}`, architecture, { "v1.48": "200 amd64", "v1.49": "200 arm64" }],
  [
    "inspect without it",
    "GET",
    `/json?platform=${wanted(s390x)}`,
    architecture,
    { "v1.48": "200 amd64", "v1.49": `404 ${missing("linux/s390x", name)}` },
  ],
  [
    "inspect of what could run there",
    "GET",
    `/json?platform=${wanted({ ...amd64, variant: "v2" })}`,
    architecture,
    { "v1.48": "200 amd64", "v1.49": `404 ${missing("linux/amd64/v2", name)}` },
  ],
  [
    "inspect of all",
    "GET",
    "/json?manifests=1",
    ({ body }) => (body.Manifests as Json[] | undefined)?.map(({ ImageData }) => ImageData.Platform.architecture),
    { "v1.47": undefined, "v1.48": ["amd64", "arm64"] },
  ],
  [
    "history of what could run there",
    "GET",
    `/history?platform=${wanted({ ...amd64, variant: "v2" })}`,
    message,
    { "v1.47": "200", "v1.48": "200" },
  ],
  [
    "history without it",
    "GET",
    `/history?platform=${wanted(s390x)}`,
    message,
    { "v1.47": "200", "v1.48": `404 ${missing("linux/s390x")}` },
  ],
  [
    "save without it",
    "GET",
    `/get?platform=${wanted(s390x)}`,
    message,
    { "v1.47": "200", "v1.48": `404 no suitable export target found: ${missing("linux/s390x")}` },
  ],
  [
    "a platform that is no JSON",
    "GET",
    "/get?platform=bad",
    message,
    { "v1.47": "200", "v1.48": "400 failed to parse platform: invalid character 'b' looking for beginning of value" },
  ],
  [
    "half a platform",
    "GET",
    `/history?platform=${wanted({ os: "linux" })}`,
    message,
    { "v1.47": "200", "v1.48": "400 both OS and Architecture must be provided" },
  ],
  [
    "push without it",
    "POST",
    `/push?tag=latest&platform=${wanted(s390x)}`,
    message,
    { "v1.46": `200 ${missing("linux/s390x")}`, "v1.51": `200 ${missing("linux/s390x")}` },
  ],
];

describe("images of several platforms", () => {
  let dir: string;
  let made: { path: string; digests: string[] };

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "e2e-platforms-"));
    made = await archive(dir, [amd64, arm64]);
    await shared.ok(["load", "-i", made.path]);
  });

  after(async () => {
    await shared.docker(["rmi", "-f", name]);
    rmSync(dir, { recursive: true });
  });

  for (const [what, method, path, look, byVersion] of cases)
    it(`${what}: by the API's version`, async () => {
      for (const [version, value] of Object.entries(byVersion))
        assert.deepEqual(look(await ask(version, method, `/images/${name}${path}`)), value, version);
    });

  it("have the size of the one that is shown, and of the index", async () => {
    const { body: whole } = await ask("v1.51", "GET", `/images/${name}/json`);
    const { body: other } = await ask("v1.51", "GET", `/images/${name}/json?platform=${wanted(arm64)}`);
    const { body: list } = await ask("v1.51", "GET", `/images/${name}/json?manifests=1`);
    const [first, second] = list.Manifests as { Size: { Content: number } }[];
    assert.deepEqual(
      [whole.Size - whole.Descriptor.size, other.Size - whole.Descriptor.size],
      [first?.Size.Content, second?.Size.Content],
    );
  });

  it("are created for a platform that they are made for alone", async () => {
    for (const [platform, words] of [
      ["linux/amd64/v2", missing("linux/amd64/v2")],
      ["linux/s390x", missing("linux/s390x")],
    ] as const) {
      const path = `/containers/create?platform=${encodeURIComponent(platform)}`;
      const { status, body } = await shared.api.ask("POST", path, { Image: name });
      assert.deepEqual([status, JSON.parse(body.toString())], [404, { message: words }]);
    }
  });

  it("say which platform a load did not bring", async () => {
    const { stderr, code } = await shared.docker(["load", "--platform", "linux/s390x", "-i", made.path]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /image e2e-platforms:latest was loaded, but doesn't provide the requested platform \(linux\/s390x\)/,
    );
  });
});

describe("images until a moment", () => {
  const hours = (count: number): string => `${count}h`;
  for (const [until, found] of [
    [["0s"], true],
    [["2100-01-02"], true],
    [["2100-01-02", "2101-01-02"], true],
    [[hours(876_000)], false],
    [[hours(876_000), "0s"], false],
    [["0s", hours(876_000)], false],
    [["2100-01-02", "2006-01-02"], false],
    [["4102444800", "1"], false],
    [["x"], 'failed to parse value as time or duration: "x"'],
    [["0s", "x"], 'failed to parse value as time or duration: "x"'],
    [[""], 'failed to parse value as time or duration: ""'],
  ] as const)
    it(`${JSON.stringify(until)}: each holds`, async () => {
      const filters = encodeURIComponent(JSON.stringify({ reference: ["busybox"], until }));
      const { status, body } = await ask("v1.51", "GET", `/images/json?filters=${filters}`);
      if (typeof found === "string") assert.deepEqual([status, body], [500, { message: found }]);
      else assert.equal((body as unknown[]).length > 0, found);
    });
});
