import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WriteAction } from "@longshore/proto/containerd/services/content/v1/content";
import { shared } from "../engine/shared.ts";
import { Image, type Lies } from "../hostile/archives.ts";

const name = (own: string): string => `docker.io/library/hostile-${own}:1`;

/** What is wrong with an image, where, and what is told of it. */
const refused: [what: string, lies: Lies, words: RegExp][] = [
  ["null", { config: null }, /invalid image JSON, no RootFS key/],
  ["tar", { config: Buffer.alloc(1024) }, /is not valid JSON/],
  [
    "labels",
    { config: { os: "linux", architecture: "amd64", config: { Labels: 5 }, rootfs: { diff_ids: [] } } },
    /json: cannot unmarshal number into Go struct field Image\.config\.Labels of type map\[string\]string/,
  ],
  ["size", { target: { size: 2 ** 60 } }, /invalid size/],
  [
    "layers",
    { manifest: { layers: {} } },
    /json: cannot unmarshal object into Go struct field Manifest\.layers of type \[\]v1\.Descriptor/,
  ],
  ["type", { target: { mediaType: "text/html" } }, /descriptor is neither a manifest or index/],
  ["up", { target: { annotations: { "io.containerd.image.name": "../../../x" } } }, /invalid reference format/],
  ["nul", { target: { annotations: { "io.containerd.image.name": "a\0b" } } }, /invalid reference format/],
  ["deep", { levels: 40 }, /nested too deeply/],
];

describe("hostile images", () => {
  const dir = mkdtempSync(join(tmpdir(), "e2e-hostile-"));
  let listed: string;
  const list = async (): Promise<string> =>
    (await shared.ok(["images", "-a", "--no-trunc", "--format", "{{.Repository}} {{.Tag}} {{.ID}}"]))
      .split("\n")
      .toSorted()
      .join("\n");
  before(async () => (listed = await list()));
  after(() => rmSync(dir, { recursive: true }));

  it("are refused at load in words, and change nothing", async () => {
    await Promise.all(
      refused.map(async ([what, lies, words]) => {
        const path = join(dir, `${what}.tar`);
        writeFileSync(path, new Image(lies).archive(name(what), lies.target));
        const { code, stderr, stdout } = await shared.docker(["load", "-i", path]);
        assert.equal(code, 1, `${what}: ${stdout}`);
        assert.match(stderr, words);
        assert.doesNotMatch(stderr, /TypeError|RangeError|undefined/);
      }),
    );
    assert.equal(await list(), listed);
  });

  it("are refused at pull in words, and change nothing", async () => {
    const images = new Map(
      refused.filter(([, { target }]) => target === undefined).map(([what, lies]) => [what, new Image(lies)]),
    );
    const server = createServer((request, response) => {
      const [, , , what = "", kind, key = ""] = (request.url ?? "").split("/");
      const image = images.get(what);
      const isPage = what === "page";
      const data = isPage
        ? Buffer.from("<html>")
        : key === "1"
          ? image?.blobs.get(image.target.digest)
          : image?.blobs.get(key);
      if (request.url === "/v2/" || data === undefined)
        return response.writeHead(request.url === "/v2/" ? 200 : 404).end();
      const { mediaType = "" } =
        key === "1" || key === image?.target.digest
          ? (image?.target ?? {})
          : (JSON.parse(kind === "manifests" ? data.toString() : "{}") as { mediaType?: string });
      response.writeHead(200, {
        "content-type": isPage ? "text/html" : mediaType || "application/vnd.oci.image.manifest.v1+json",
        "content-length": data.length,
      });
      return response.end(request.method === "HEAD" ? undefined : data);
    }).listen(0, "127.0.0.1");
    try {
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as AddressInfo;
      const cases: [string, RegExp][] = [
        ["page", /unsupported manifest media type: text\/html/],
        ...refused.flatMap(([what, , words]): [string, RegExp][] => (images.has(what) ? [[what, words]] : [])),
      ];
      await Promise.all(
        cases.map(async ([what, words]) => {
          const { code, stderr, stdout } = await shared.docker(["pull", `127.0.0.1:${port}/x/${what}:1`]);
          assert.equal(code, 1, `${what}: ${stdout}`);
          assert.match(stderr, words);
        }),
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
    assert.equal(await list(), listed);
  });

  it("that name the next ten times, seven levels deep, are one image", async () => {
    const path = join(dir, "laughs.tar");
    writeFileSync(path, new Image({ levels: 7, times: 10 }).archive(name("laughs")));
    try {
      assert.equal(await shared.ok(["load", "-i", path], { timeoutMs: 30_000 }), "Loaded image: hostile-laughs:1");
      assert.equal(
        await shared
          .ok(["images", "-q", "hostile-laughs"], { timeoutMs: 10_000 })
          .then((ids) => ids.split("\n").length),
        1,
      );
      assert.equal(await shared.ok(["image", "inspect", "-f", "{{.Config.Labels}}", "hostile-laughs:1"]), "map[a:b]");
    } finally {
      await shared.docker(["rmi", "hostile-laughs:1"]);
    }
  });

  it("that are there already are left out of lists and named, and can be removed", async () => {
    const { containerd } = shared.api;
    const image = new Image({ config: { config: { Labels: 5 }, rootfs: { diff_ids: [] } } });
    const { id } = (await containerd.leases.create({ id: "e2e-hostile" })).lease ?? { id: "" };
    const leased = { metadata: { "containerd-lease": id } };
    try {
      for (const [digest, data] of image.blobs) {
        async function* requests(): AsyncGenerator<{
          action: WriteAction;
          ref: string;
          data: Buffer;
          expected: string;
          total: bigint;
        }> {
          yield { action: WriteAction.COMMIT, ref: digest, data, expected: digest, total: BigInt(data.length) };
        }
        for await (const _ of containerd.content.write(requests(), leased));
      }
      const { mediaType, digest, size } = image.target;
      const record = { name: name("there"), target: { mediaType, digest, size: BigInt(size) } };
      await assert.rejects(
        containerd.images.create({ image: { ...record, target: { ...record.target, size: 1n << 60n } } }),
        { name: "InvalidArgument" },
      );
      await assert.rejects(containerd.images.create({ image: { ...record, name: "a\0b" } }), {
        name: "InvalidArgument",
      });
      await containerd.images.create({ image: record });
      assert.equal(await list(), listed);
      assert.match(
        await shared.ok(["info", "-f", "{{json .Warnings}}"]),
        /image hostile-there:1 cannot be read and is left out of lists: .*cannot unmarshal number/,
      );
      assert.match(
        (await shared.docker(["image", "inspect", "hostile-there:1"])).stderr,
        /cannot unmarshal number into Go struct field Image\.config\.Labels/,
      );
      await shared.ok(["rmi", "hostile-there:1"]);
    } finally {
      await containerd.leases.delete({ id });
    }
    assert.equal(await list(), listed);
    assert.doesNotMatch(await shared.ok(["info", "-f", "{{json .Warnings}}"]), /hostile/);
  });
});
