import assert from "node:assert/strict";
import { type Descriptor, mediaTypes } from "@longshore/oci";
import { damageOfImages } from "./model/damage.ts";
import { noFilters } from "./model/filter.ts";
import { findImage } from "./model/find.ts";
import { testImages, type TestImages } from "./testing/fixture.ts";
import { imageHistory } from "./views/history.ts";
import { inspectImage } from "./views/inspect.ts";
import { listImages } from "./views/list.ts";
import { pruneImages } from "./manage/prune.ts";
import { removeImage } from "./manage/remove.ts";
import { readManifests } from "./model/manifests.ts";
import { resolveImage } from "./model/resolve.ts";
import { tagImage } from "./manage/tag.ts";

const soft = { force: false, prune: true };
const forced = { force: true, prune: true };
const short = (target: Descriptor): string => target.digest.slice(7, 19);

describe("images over containerd", () => {
  let images: TestImages;
  let target: Descriptor;
  beforeEach(() => {
    images = testImages();
    target = images.image({ labels: { n: "1" } });
    images.name("docker.io/library/bb:1", target);
  });

  describe("findImage", () => {
    const found = async (name: string): Promise<boolean> =>
      (await findImage(images.context, name)).record.target.digest === target.digest;

    it("finds by name, ID, the beginning of an ID, name and digest", async () => {
      const { digest } = target;
      for (const name of [
        "bb:1",
        "docker.io/library/bb:1",
        digest,
        digest.slice(7),
        short(target),
        digest.slice(0, 20),
        `bb@${digest}`,
        `bb:1@${digest}`,
      ]) {
        assert.equal(await found(name), true, name);
      }
    });

    it("names what is not there as Docker does", async () => {
      const message = async (name: string): Promise<string> =>
        findImage(images.context, name).then(
          () => "found",
          (error: Error) => error.message,
        );
      assert.equal(await message("bb"), "No such image: bb:latest");
      assert.equal(await message(target.digest.slice(7, 9)), `No such image: ${target.digest.slice(7, 9)}:latest`);
      assert.equal(await message(`other@${target.digest}`), `No such image: other@${target.digest}`);
      assert.equal(await message("NOPE"), "invalid reference format: repository name (library/NOPE) must be lowercase");
    });
  });

  describe("tagImage", () => {
    it("adds names; a name that moves leaves its image dangling", async () => {
      await tagImage(images.context, "bb:1", "bb2", "x");
      assert.deepEqual((await inspectImage(images.context, "bb:1", { manifests: false })).RepoTags, ["bb:1", "bb2:x"]);
      const other = images.image({ layer: "other" });
      images.name("docker.io/library/other:1", other);
      await tagImage(images.context, "other:1", "bb2", "x");
      await tagImage(images.context, "other:1", "bb", "1");
      assert.deepEqual(
        [...images.containerd.images.keys()],
        [
          "docker.io/library/bb:1",
          "docker.io/library/bb2:x",
          "docker.io/library/other:1",
          `moby-dangling@${target.digest}`,
        ],
      );
      await tagImage(images.context, target.digest, "again", "");
      assert.equal(images.containerd.images.has(`moby-dangling@${target.digest}`), false);
      assert.deepEqual(images.events, ["tag bb2:x", "tag bb2:x", "tag bb:1", "tag again:latest"]);
    });

    it("refuses bad names before anything changes", async () => {
      await assert.rejects(tagImage(images.context, "bb:1", "BAD", ""), /must be lowercase/);
      await assert.rejects(tagImage(images.context, "bb:1", "q", "a b"), { message: "invalid tag format" });
      await assert.rejects(tagImage(images.context, "bb:1", `q@${target.digest}`, ""), {
        message: "cannot import digest reference",
      });
      await assert.rejects(tagImage(images.context, "nope", "q", ""), { message: "No such image: nope:latest" });
      assert.equal(images.containerd.images.size, 1);
    });
  });

  describe("removeImage", () => {
    it("removes a name, and the image with the last one", async () => {
      images.name("docker.io/library/bb2:x", target);
      assert.deepEqual(await removeImage(images.context, "bb2:x", soft), [{ Untagged: "bb2:x" }]);
      assert.deepEqual(await removeImage(images.context, "bb:1", soft), [
        { Untagged: "bb:1" },
        { Deleted: target.digest },
      ]);
      assert.deepEqual(images.events, [`untag ${target.digest}`, `untag ${target.digest}`, `delete ${target.digest}`]);
      assert.deepEqual(
        images.attributes.slice(0, 2),
        [1, 2].map(() => ({ n: "1", name: target.digest })),
      );
    });

    it("removes the digest's name with the last tag of its repository", async () => {
      images.name(`docker.io/library/bb@${target.digest}`, target);
      assert.deepEqual(await removeImage(images.context, "bb:1", soft), [
        { Untagged: "bb:1" },
        { Untagged: `bb@${target.digest}` },
        { Deleted: target.digest },
      ]);
    });

    it("by ID wants force when there are several names", async () => {
      images.name("docker.io/library/bb:2", target);
      await assert.rejects(removeImage(images.context, target.digest, soft), {
        message: `conflict: unable to delete ${short(target)} (must be forced) - image is referenced in multiple repositories`,
      });
      assert.equal(images.containerd.images.size, 2);
      assert.deepEqual(await removeImage(images.context, short(target), forced), [
        { Untagged: "bb:1" },
        { Untagged: "bb:2" },
        { Deleted: target.digest },
      ]);
    });

    it("leaves what a container uses, dangling when it is forced", async () => {
      const id = "c".repeat(64);
      images.containers.push({ id, imageId: target.digest, image: "a", mounted: [], running: false });
      await assert.rejects(removeImage(images.context, "bb:1", soft), {
        message: `conflict: unable to delete bb:1 (must be forced) - container ${id.slice(0, 12)} is using its referenced image ${short(target)}`,
      });
      await assert.rejects(removeImage(images.context, target.digest, soft), {
        message: `conflict: unable to delete ${short(target)} (must be forced) - image is being used by stopped container ${id.slice(0, 12)}`,
      });
      assert.deepEqual(await removeImage(images.context, "bb:1", forced), [{ Untagged: "bb:1" }]);
      assert.deepEqual([...images.containerd.images.keys()], [`moby-dangling@${target.digest}`]);
      images.containers[0] = { id, imageId: target.digest, image: "a", mounted: [], running: true };
      await assert.rejects(removeImage(images.context, target.digest, forced), {
        message: `conflict: unable to delete ${short(target)} (cannot be forced) - image is being used by running container ${id.slice(0, 12)}`,
      });
      images.containers[0] = {
        id,
        imageId: "sha256:other",
        image: "b",
        mounted: [{ imageId: target.digest, image: "bb:1" }],
        running: true,
      };
      images.name("docker.io/library/bb:1", target);
      await assert.rejects(removeImage(images.context, "bb:1", soft), {
        message: /^conflict: unable to delete bb:1 \(must be forced\) - container c{12} is using/,
      });
      assert.deepEqual(await removeImage(images.context, "bb:1", forced), [{ Untagged: "bb:1" }]);
      assert.deepEqual(await removeImage(images.context, target.digest, soft), [{ Deleted: target.digest }]);
    });

    it("removes nameless parents along, until one that is needed", async () => {
      const parent = images.image({ layer: "parent" });
      const child = images.image({ layer: "child" });
      images.name(`moby-dangling@${parent.digest}`, parent, { "org.mobyproject.image.parent": target.digest });
      images.name("docker.io/library/child:1", child, { "org.mobyproject.image.parent": parent.digest });
      assert.deepEqual(await removeImage(images.context, "child:1", soft), [
        { Untagged: "child:1" },
        { Deleted: child.digest },
        { Deleted: parent.digest },
      ]);
      assert.deepEqual([...images.containerd.images.keys()], ["docker.io/library/bb:1"]);
    });

    it("removes one platform only by force", async () => {
      const arm = images.image({ platform: { os: "linux", architecture: "arm64" }, layer: "arm" });
      const index = images.index(
        { ...target, platform: { os: "linux", architecture: "amd64" } },
        { ...arm, platform: { os: "linux", architecture: "arm64" } },
      );
      images.name("docker.io/library/multi:1", index);
      const platforms = [{ os: "linux", architecture: "arm64" }];
      await assert.rejects(
        removeImage(images.context, "multi:1", { ...soft, platforms }),
        /Content will be removed from all images/,
      );
      assert.deepEqual(await removeImage(images.context, "multi:1", { ...forced, platforms }), [
        { Deleted: arm.digest },
      ]);
      const { Manifests = [] } = await inspectImage(images.context, "multi:1", { manifests: true });
      assert.deepEqual(
        Manifests.map(({ Available }) => Available),
        [true, false],
      );
    });
  });

  describe("platforms", () => {
    it("chooses this machine's, what is asked for, or any that is here", async () => {
      const arm = images.image({ platform: { os: "linux", architecture: "arm64", variant: "v8" }, layer: "arm" });
      const index = images.index(
        { ...target, platform: { os: "linux", architecture: "amd64" } },
        { ...arm, platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      );
      images.name("docker.io/library/multi:1", index);
      assert.equal((await resolveImage(images.context, "multi:1")).manifest.digest, target.digest);
      assert.equal(
        (await resolveImage(images.context, "multi:1", { os: "linux", architecture: "arm64" })).manifest.digest,
        arm.digest,
      );
      assert.equal((await resolveImage(images.context, "multi:1")).id, index.digest);
      await assert.rejects(resolveImage(images.context, "multi:1", { os: "linux", architecture: "s390x" }), {
        message: "image with reference multi:1 was found but does not provide the specified platform (linux/s390x)",
      });
      images.name("docker.io/library/arm:1", arm);
      assert.equal((await resolveImage(images.context, "arm:1")).platform.architecture, "arm64");
      await assert.rejects(
        inspectImage(images.context, "multi:1", { manifests: true, platform: { os: "linux", architecture: "arm64" } }),
        {
          message: "conflicting options: manifests and platform options cannot both be set",
        },
      );
    });
  });

  describe("documents", () => {
    it("are read once, and looked for again after a while", async () => {
      const { containerd, context } = images;
      const read = context.containerd.content.read.bind(context.containerd.content);
      let reads = 0;
      context.containerd.content.read = (...args) => (reads++, read(...args));
      const first = await resolveImage(context, "bb:1");
      assert.ok(reads > 0);
      reads = 0;
      first.config.Env = ["CHANGED=1"];
      assert.notDeepEqual((await resolveImage(context, "bb:1")).config.Env, ["CHANGED=1"]);
      assert.equal(reads, 0);
      const [manifest] = await readManifests(context, target);
      containerd.blobs.delete(manifest?.manifest?.config.digest ?? "");
      const { now } = performance;
      performance.now = () => now.call(performance) + 60_000;
      try {
        await assert.rejects(resolveImage(context, "bb:1"), { name: "NotFound" });
      } finally {
        performance.now = now;
      }
    });

    it("of an image without a record are not used", async () => {
      await resolveImage(images.context, "bb:1");
      images.containerd.images.clear();
      await assert.rejects(resolveImage(images.context, "bb:1"), { name: "NotFound", message: "No such image: bb:1" });
    });
  });

  describe("listImages", () => {
    const names = async (filters: Partial<typeof noFilters>): Promise<string[][]> =>
      (
        await listImages(images.context, { filters: { ...noFilters, ...filters }, sharedSize: false, manifests: false })
      ).map(({ RepoTags }) => RepoTags);

    beforeEach(() => {
      images.name("docker.io/library/bb2:x", target);
      const newer = images.image({ created: "2025-01-01T00:00:00Z", layer: "newer" });
      images.name("localhost:5000/a/b:latest", newer);
      images.name(`moby-dangling@${"0".repeat(64)}`, images.image({ created: "2023-01-01T00:00:00Z", layer: "old" }));
    });

    it("leaves out what cannot be read, and names it", async () => {
      const config = (text: string): Descriptor => images.containerd.put(mediaTypes.ociConfig, text);
      const manifest = (document: Descriptor): Descriptor =>
        images.containerd.put(mediaTypes.ociManifest, { schemaVersion: 2, config: document, layers: [] });
      const deep = (levels: number): Descriptor => (levels === 0 ? target : images.index(deep(levels - 1)));
      const bad: Record<string, Descriptor> = {
        null: manifest(config("null")),
        tar: manifest(config("\0".repeat(1024))),
        labels: manifest(config('{"config":{"Labels":5},"rootfs":{}}')),
        deep: deep(40),
        html: images.containerd.put("text/html", "<html>"),
        layers: images.containerd.put(mediaTypes.ociManifest, '{"layers":5}'),
        index: images.containerd.put(mediaTypes.ociIndex, '{"manifests":[{"digest":"../x"}]}'),
      };
      const good = await names({});
      for (const [name, descriptor] of Object.entries(bad)) images.name(`docker.io/library/bad-${name}:1`, descriptor);
      assert.deepEqual(await names({}), good);
      const damage = damageOfImages(images.context);
      for (const name of Object.keys(bad)) {
        assert.ok(
          damage.some((words) => words.startsWith(`image bad-${name}:1 cannot be read and is left out of lists: `)),
          name,
        );
        await assert.rejects(inspectImage(images.context, `bad-${name}:1`, { manifests: false }), {
          name: "InvalidArgument",
        });
        await removeImage(images.context, `bad-${name}:1`, { force: false, prune: true });
      }
      assert.deepEqual(await names({}), good);
      assert.deepEqual(damageOfImages(images.context), []);
    });

    it("reads an index of seven levels that each name the next ten times as often as it has blobs", async () => {
      let at = target;
      for (let level = 0; level < 7; level++) at = images.index(...Array.from({ length: 10 }, () => at));
      images.name("docker.io/library/laughs:1", at);
      assert.equal((await readManifests(images.context, at)).length, 1);
      assert.ok((await names({})).some(([name]) => name === "laughs:1"));
    });

    it("shows the newest first and takes filters", async () => {
      assert.deepEqual(await names({}), [["localhost:5000/a/b:latest"], ["bb:1", "bb2:x"], []]);
      assert.deepEqual(await names({ dangling: true }), [[]]);
      assert.deepEqual(await names({ references: ["bb*"] }), [["bb:1", "bb2:x"]]);
      assert.deepEqual(await names({ references: ["bb2:x"] }), [["bb2:x"]]);
      assert.deepEqual(await names({ references: ["localhost:5000/a/*"] }), [["localhost:5000/a/b:latest"]]);
      assert.deepEqual(await names({ references: ["["] }), []);
      assert.deepEqual(await names({ labels: ["n=1"] }), [["bb:1", "bb2:x"]]);
      assert.deepEqual(await names({ notLabels: ["n"], dangling: false }), [["localhost:5000/a/b:latest"]]);
      assert.deepEqual(await names({ since: ["bb:1"] }), [["localhost:5000/a/b:latest"]]);
      assert.deepEqual(await names({ before: ["bb:1"] }), [[]]);
      assert.deepEqual(await names({ until: Date.parse("2024-06-01") }), [["bb:1", "bb2:x"], []]);
    });

    it("counts sizes, sharing and containers", async () => {
      images.containers.push({ id: "c", imageId: target.digest, image: "a", mounted: [], running: false });
      images.name("docker.io/library/twin:1", images.image({ labels: { n: "2" } }));
      const list = await listImages(images.context, { filters: noFilters, sharedSize: true, manifests: true });
      const own = list.find(({ Id }) => Id === target.digest);
      assert.equal(own?.Containers, 1);
      assert.equal(own?.SharedSize, 1000);
      assert.equal(own?.Size, (own?.Manifests?.[0]?.Size.Content ?? 0) + 1000);
      assert.deepEqual(own?.RepoDigests, [`bb@${target.digest}`, `bb2@${target.digest}`]);
      assert.equal(list.find(({ RepoTags }) => RepoTags.includes("localhost:5000/a/b:latest"))?.SharedSize, 0);
    });

    it("asks containerd as often for many images as for few, and each layer once", async () => {
      const list = () => listImages(images.context, { filters: noFilters, sharedSize: false, manifests: true });
      let asked: string[] = [];
      for (const service of [
        images.context.containerd.content,
        images.context.containerd.snapshots,
      ] as unknown as Record<string, (...args: unknown[]) => unknown>[])
        for (const [name, call] of Object.entries(service))
          service[name] = (...args) => (asked.push(name), call(...args));
      await list();
      assert.deepEqual(asked.filter((name) => name === "usage").length, 3);
      asked = [];
      const before = await list();
      assert.deepEqual(asked.toSorted(), ["list", "list"]);
      images.containerd.snapshots.delete(images.containerd.snapshots.keys().next().value ?? "");
      const [now, then] = [await list(), before].map((summaries) =>
        summaries.reduce((total, { Size }) => total + Size, 0),
      );
      assert.equal(now, (then ?? 0) - 1000);
    });

    it("leaves out what is removed while it is read", async () => {
      const { content } = images.context.containerd;
      const read = content.read.bind(content);
      content.read = (request, ...rest) => {
        images.containerd.blobs.clear();
        return read(request, ...rest);
      };
      assert.deepEqual(await names({}), []);
    });
  });

  describe("pruneImages", () => {
    const all = { ...noFilters, dangling: false };
    const library = "docker.io/library/";

    it("removes dangling images, and tells what went", async () => {
      const images = testImages();
      const target = images.index(images.image({ layer: "one" }), images.image({ layer: "two" }));
      images.name(`moby-dangling@${target.digest}`, target);
      images.name(`${library}named:1`, images.image({ layer: "three" }));
      const { ImagesDeleted } = await pruneImages(images.context, noFilters);
      assert.deepEqual(
        ImagesDeleted?.map(({ Untagged }) => Untagged),
        [target.digest, undefined, undefined, undefined],
      );
      assert.equal(ImagesDeleted?.[1]?.Deleted, target.digest);
      assert.deepEqual(await pruneImages(images.context, noFilters), { ImagesDeleted: null, SpaceReclaimed: 0 });
    });

    /** What Docker 28.5 keeps of `names` of one image when a container was created with `image`. */
    const kept: [what: string, usage: { image?: string; mounted?: string }, left: string[]][] = [
      ["by name", { image: "i1" }, ["i1:latest"]],
      ["by another name", { image: "i1:b" }, ["i1:b"]],
      ["by ID", { image: "ID" }, ["i1:latest"]],
      ["by the beginning of the ID", { image: "SHORT" }, ["i1:latest"]],
      ["by digest", { image: "i1@ID" }, ["i1:latest"]],
      ["by tag and digest", { image: "i1:b@ID" }, ["i1:b"]],
      ["by a name that it has no more", { image: "gone" }, ["i1:latest"]],
      ["mounted by name", { mounted: "i1:b" }, ["i1:b"]],
      ["mounted by ID", { mounted: "ID" }, ["i1:latest"]],
      ["mounted by a name that it has no more", { mounted: "gone" }, ["i1:latest"]],
    ];
    for (const [what, { image, mounted }, left] of kept) {
      it(`keeps one name of an image that is used ${what}`, async () => {
        const images = testImages();
        const target = images.image();
        for (const name of ["aa:latest", "i1:b", "i1:latest"]) images.name(library + name, target);
        const asked = (text: string): { imageId: string; image: string } => ({
          imageId: target.digest,
          image: text.replace("SHORT", target.digest.slice(7, 17)).replace("ID", target.digest),
        });
        const mounts = mounted === undefined ? [] : [asked(mounted)];
        images.containers.push({
          id: "c",
          running: false,
          mounted: mounts,
          ...(image === undefined ? { imageId: "sha256:other", image: "other" } : asked(image)),
        });
        const { ImagesDeleted } = await pruneImages(images.context, all);
        assert.deepEqual(
          [...images.containerd.images.keys()],
          left.map((name) => library + name),
        );
        assert.deepEqual(
          ImagesDeleted?.map(({ Untagged }) => Untagged),
          ["aa:latest", "i1:b", "i1:latest"].filter((name) => !left.includes(name)),
        );
      });
    }

    it("keeps what a container was created of when its name was taken away", async () => {
      const images = testImages();
      const old = images.image({ layer: "old" });
      images.name(`moby-dangling@${old.digest}`, old);
      images.name(`${library}i1:latest`, images.image({ layer: "new" }));
      images.containers.push({ id: "c", running: false, mounted: [], imageId: old.digest, image: "i1" });
      assert.deepEqual(await pruneImages(images.context, all), { ImagesDeleted: null, SpaceReclaimed: 0 });
    });
  });

  describe("imageHistory", () => {
    it("names the steps of images that are here", async () => {
      assert.deepEqual(await imageHistory(images.context, "bb:1"), [
        { Comment: "made", Created: 1704067200, CreatedBy: "", Id: target.digest, Size: 1000, Tags: ["bb:1"] },
      ]);
    });
  });
});
