import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tool } from "../engine/tools.ts";
import { until } from "../host/until.ts";
import { Twins } from "./twins.ts";

const none = `sha256:${"0".repeat(64)}`;
const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const namespace = `e2e-data-${process.pid}`;

describe("ctr's namespaces, content, snapshots and leases, on ours as on the stock containerd", () => {
  const twins = new Twins(namespace);
  before(() => twins.start());
  after(() => twins.dispose());

  it("namespaces", async () => {
    await twins.same([
      "namespaces create extra a=b c=d",
      "namespaces create extra",
      "namespaces ls",
      "namespaces label extra a= e=f",
      "namespaces ls",
      "namespaces ls -q",
      "namespaces create bad/name",
      "namespaces rm extra",
      "namespaces rm extra",
      "namespaces ls",
    ]);
  });

  // What earlier tests deleted leads to a collection soon, on each side in its own time: it is over before the next test.
  beforeEach(() => twins.same(["leases create --id collect", "leases rm --sync collect"]));

  it("content", async () => {
    await twins.same([
      { run: `content ingest --expected-size 3 --expected-digest ${abc} ref1`, input: "abc" },
      { run: `content ingest --expected-size 3 --expected-digest ${abc} ref1`, input: "abc" },
      { run: "content ingest --expected-size 4 ref2", input: "ab" },
      { run: `content ingest --expected-digest ${none} ref3`, input: "ab" },
      // One at a time: the stock one lists them in the order of its directory.
      "content active ref2",
      "content active ref3",
      "content ls",
      "content ls -q",
      `content get ${abc}`,
      `content get ${none}`,
      "content get nonsense",
      `content label ${abc} x=y`,
      "content ls labels.x==y",
      "content ls labels.x==z",
      "content ls nonsense=",
      `content label ${abc} x=`,
      `content label ${none} x=y`,
      "content ls",
      `content edit --editor true ${abc}`,
      "content active ref2",
      `content rm ${none}`,
      "content rm nonsense",
      `content rm ${abc}`,
      "content ls -q",
      "namespaces rm {namespace}",
    ]);
  });

  it("snapshots", async () => {
    await twins.same([
      "snapshots prepare one",
      "snapshots prepare one",
      "snapshots prepare --target {dir}/t two nothing",
      "snapshots view three one",
      "snapshots mounts {dir}/t one",
      "snapshots mounts {dir}/t nothing",
      "snapshots commit done one",
      "snapshots commit done one",
      "snapshots info done",
      "snapshots info nothing",
      "snapshots mounts {dir}/t done",
      "snapshots prepare --target {dir}/t four done",
      "snapshots view --target {dir}/t five done",
      "snapshots ls",
      // Nothing keeps a view from the next collection.
      "snapshots rm five",
      "snapshots tree",
      "snapshots usage",
      "snapshots usage -b done",
      "snapshots label done a=b",
      "snapshots info done",
      "snapshots diff --media-type application/vnd.oci.image.layer.v1.tar four done",
      "snapshots rm done",
      "snapshots rm nothing",
      `snapshots unpack ${none}`,
      "snapshots rm four done",
      "snapshots ls",
      "snapshots --snapshotter none ls",
      "snapshots --snapshotter none prepare x",
    ]);
  });

  it("leases, and what they keep from garbage collection", async () => {
    await twins.same([
      "leases create --id kept a=b",
      "leases create --id kept",
      "leases create",
      "leases ls",
      "leases ls id==kept",
      "leases ls labels.a==c",
      { run: "content ingest loose", input: "loose" },
      "content ls -q",
      "leases rm nothing",
      "leases rm --sync kept",
      "content ls -q",
      "leases ls id==kept",
    ]);
  });

  it("events, in their order", async () => {
    const listeners = twins.both.map(({ containerd, normalize }) => {
      const child = spawn(tool("ctr"), ["--address", containerd.address, "events"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      let output = "";
      child.stdout.on("data", (data: Buffer) => (output += data.toString()));
      return { child, lines: () => normalize(output), containerd };
    });
    try {
      // An event of ours tells that it listens.
      for (const { lines, containerd } of listeners) {
        await until("ctr events has begun", async () => {
          await containerd.ctr(["namespaces", "label", containerd.namespace, "begun=1"]);
          return lines().some((line) => line.includes("begun"));
        });
      }
      await twins.same([
        "namespaces create observed a=b",
        "namespaces label observed c=d",
        "snapshots prepare one",
        "snapshots commit done one",
        "snapshots view two done",
        // Each removal has a collection follow, which would take what is removed next: both in one command, and the collection awaited.
        "snapshots rm two done",
        "leases create --id awaited",
        "leases rm --sync awaited",
        { run: "content ingest ref", input: "abc" },
        `content rm ${abc}`,
        "namespaces rm observed",
      ]);
      const [ours = [], stock = []] = await Promise.all(
        listeners.map(async ({ lines }) => {
          await until("the last event", () => lines().some((line) => line.includes("/namespaces/delete")));
          const all = lines();
          return all.slice(all.findIndex((line) => line.includes("/namespaces/create")));
        }),
      );
      assert.deepEqual(ours, stock);
      assert.equal(ours.length, 9);
    } finally {
      for (const { child } of listeners) {
        const ended = once(child, "exit");
        child.kill();
        await ended;
      }
    }
  });

  it("version, info and plugins: of each kind that the stock one has, ours under the same name", async () => {
    const [ours = [], stock = []] = await twins.run([
      "version",
      "info",
      "plugins ls",
      "deprecations list",
      "plugins ls type==io.containerd.snapshotter.v1,id==overlayfs",
      "plugins inspect-runtime --runtime none.v1",
    ]);
    const shape = (lines: string[] = []): string[] =>
      lines.map((line) => line.replace(/(Version: |UUID: |"uuid": |"pid": ).*/, "$1"));
    for (const index of [0, 1]) assert.deepEqual(shape(ours[index]?.stdout), shape(stock[index]?.stdout));
    const known = new Set(stock[2]?.stdout);
    // The record store is another one, the socket of the shims is no plugin there, nor the health service in each version.
    assert.deepEqual(
      ours[2]?.stdout
        .filter((line) => !known.has(line))
        .filter((line) => !/metadata\.v1 sqlite|ttrpc\.v1 events|healthcheck/.test(line)),
      [],
    );
    assert.deepEqual(ours.slice(3), stock.slice(3));
  });
});
