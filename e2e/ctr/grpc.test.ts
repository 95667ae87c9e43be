import assert from "node:assert/strict";
import { type Call, type Clients, connect, outcome } from "./calls.ts";
import { Twins } from "./twins.ts";

const packed = (text: string) => ({ typeUrl: "example.org/t", value: Buffer.from(text) });
const runtime = { name: "io.containerd.runc.v2", options: packed("options") };
const sandbox = {
  sandboxId: "s1",
  runtime,
  spec: packed("{}"),
  labels: { a: "b", none: "" },
  extensions: { e: packed("1") },
  sandboxer: "shim",
};
const elsewhere = { metadata: { "containerd-namespace": "grpc-other" } };
const container = {
  id: "c1",
  image: "i",
  runtime,
  spec: packed("{}"),
  labels: { a: "b" },
  extensions: { e: packed("1") },
  snapshotter: "overlayfs",
  snapshotKey: "k",
  sandbox: "s1",
};

// An update of the stock containerd takes no extension and no spec away: it answers so, and keeps them.
const tables: Record<string, Call[]> = {
  "sandboxes: records": [
    ["none to get", (c) => c.sandboxes.get({ sandboxId: "s1" })],
    ["none to list", (c) => c.sandboxes.list({})],
    ["none to update", (c) => c.sandboxes.update({ sandbox })],
    ["none to delete", (c) => c.sandboxes.delete({ sandboxId: "s1" })],
    ["create", (c) => c.sandboxes.create({ sandbox })],
    ["get", (c) => c.sandboxes.get({ sandboxId: "s1" })],
    ["create again", (c) => c.sandboxes.create({ sandbox })],
    ["a bad id", (c) => c.sandboxes.create({ sandbox: { ...sandbox, sandboxId: "a b" } })],
    ["no id", (c) => c.sandboxes.create({ sandbox: { ...sandbox, sandboxId: "" } })],
    [
      "a long label",
      (c) => c.sandboxes.create({ sandbox: { ...sandbox, sandboxId: "s3", labels: { l: "x".repeat(5000) } } }),
    ],
    ["delete it", (c) => c.sandboxes.delete({ sandboxId: "s3" })],
    ["little", (c) => c.sandboxes.create({ sandbox: { sandboxId: "s2", runtime: { name: "" } } })],
    ["get another", (c) => c.sandboxes.get({ sandboxId: "nope" })],
    ["update another", (c) => c.sandboxes.update({ sandbox: { sandboxId: "nope", runtime } })],
    ["delete another", (c) => c.sandboxes.delete({ sandboxId: "nope" })],
    ["delete no id", (c) => c.sandboxes.delete({})],
    ["get no id", (c) => c.sandboxes.get({})],
  ],
  "sandboxes: filters": [
    ["all", (c) => c.sandboxes.list({})],
    ["by id", (c) => c.sandboxes.list({ filters: ["id==s2"] })],
    ["by label", (c) => c.sandboxes.list({ filters: ["labels.a==b"] })],
    ["by label's presence", (c) => c.sandboxes.list({ filters: ["labels.none"] })],
    ["by what is no field", (c) => c.sandboxes.list({ filters: ["runtime==x"] })],
    ["a broken one", (c) => c.sandboxes.list({ filters: ["id=="] })],
  ],
  "sandboxes: update masks": [
    [
      "a label",
      (c) => c.sandboxes.update({ sandbox: { ...sandbox, labels: { x: "y", z: "w" } }, fields: ["labels.x"] }),
    ],
    ["a label less", (c) => c.sandboxes.update({ sandbox, fields: ["labels.x"] })],
    ["labels", (c) => c.sandboxes.update({ sandbox: { ...sandbox, labels: { z: "w" } }, fields: ["labels"] })],
    [
      "an extension",
      (c) =>
        c.sandboxes.update({
          sandbox: { ...sandbox, extensions: { e: packed("2"), f: packed("2") } },
          fields: ["extensions.e"],
        }),
    ],
    [
      "extensions",
      (c) => c.sandboxes.update({ sandbox: { ...sandbox, extensions: { e: packed("3") } }, fields: ["extensions"] }),
    ],
    ["spec", (c) => c.sandboxes.update({ sandbox: { ...sandbox, spec: packed("4") }, fields: ["spec"] })],
    [
      "runtime",
      (c) => c.sandboxes.update({ sandbox: { ...sandbox, runtime: { name: "other" } }, fields: ["runtime"] }),
    ],
    ["another runtime without a mask", (c) => c.sandboxes.update({ sandbox })],
    ["runtime back", (c) => c.sandboxes.update({ sandbox, fields: ["runtime"] })],
    ["all", (c) => c.sandboxes.update({ sandbox: { ...sandbox, labels: {}, sandboxer: "other" } })],
    ["what is no field", (c) => c.sandboxes.update({ sandbox, fields: ["labels", "sandboxer"] })],
    ["nothing of that was done", (c) => c.sandboxes.get({ sandboxId: "s1" })],
  ],
  "sandboxes: go with their namespace": [
    ["create", (c) => c.sandboxes.create({ sandbox }, elsewhere)],
    ["delete the namespace", (c) => c.namespaces.delete({ name: "grpc-other" })],
    ["get", (c) => c.sandboxes.get({ sandboxId: "s1" }, elsewhere)],
    ["the namespace", (c) => c.namespaces.get({ name: "grpc-other" })],
  ],
  "containers: update masks and filters": [
    ["create", (c) => c.containers.create({ container })],
    [
      "a label",
      (c) =>
        c.containers.update({ container: { ...container, labels: { x: "y" } }, updateMask: { paths: ["labels.x"] } }),
    ],
    [
      "an extension",
      (c) =>
        c.containers.update({
          container: { ...container, extensions: { e: packed("2"), f: packed("2") } },
          updateMask: { paths: ["extensions.e"] },
        }),
    ],
    [
      "image and key",
      (c) =>
        c.containers.update({
          container: { ...container, image: "j", snapshotKey: "l" },
          updateMask: { paths: ["image", "snapshotkey"] },
        }),
    ],
    ["what is no field", (c) => c.containers.update({ container, updateMask: { paths: ["runtime"] } })],
    ["another snapshotter", (c) => c.containers.update({ container: { ...container, snapshotter: "native" } })],
    ["another runtime", (c) => c.containers.update({ container: { ...container, runtime: { name: "other" } } })],
    ["all", (c) => c.containers.update({ container: { ...container, labels: {} } })],
    ["one that is not there", (c) => c.containers.update({ container: { ...container, id: "nope" } })],
    ["by runtime", (c) => c.containers.list({ filters: ["runtime.name==io.containerd.runc.v2"] })],
    ["a broken filter", (c) => c.containers.list({ filters: ['id=="a'] })],
    ["start without a task", (c) => c.tasks.start({ containerId: "c1" })],
    ["a task of no container", (c) => c.tasks.get({ containerId: "nope" })],
    ["delete", (c) => c.containers.delete({ id: "c1" })],
    ["delete again", (c) => c.containers.delete({ id: "c1" })],
  ],
  "leases: resources": [
    ["create", (c) => c.leases.create({ id: "l" })],
    ["create again", (c) => c.leases.create({ id: "l" })],
    ["a snapshot", (c) => c.leases.addResource({ id: "l", resource: { type: "snapshots/overlayfs", id: "k" } })],
    ["an ingest", (c) => c.leases.addResource({ id: "l", resource: { type: "ingests", id: "r" } })],
    ["an image", (c) => c.leases.addResource({ id: "l", resource: { type: "images", id: "i" } })],
    [
      "content",
      (c) => c.leases.addResource({ id: "l", resource: { type: "content", id: `sha256:${"0".repeat(64)}` } }),
    ],
    ["no digest", (c) => c.leases.addResource({ id: "l", resource: { type: "content", id: "x" } })],
    ["no type", (c) => c.leases.addResource({ id: "l", resource: { type: "", id: "x" } })],
    ["another type", (c) => c.leases.addResource({ id: "l", resource: { type: "nope", id: "x" } })],
    ["snapshots of none", (c) => c.leases.addResource({ id: "l", resource: { type: "snapshots", id: "x" } })],
    ["a lease that is not there", (c) => c.leases.addResource({ id: "nope", resource: { type: "ingests", id: "x" } })],
    ["list", (c) => c.leases.listResources({ id: "l" })],
    ["take one", (c) => c.leases.deleteResource({ id: "l", resource: { type: "ingests", id: "r" } })],
    ["take it again", (c) => c.leases.deleteResource({ id: "l", resource: { type: "ingests", id: "r" } })],
    ["list the rest", (c) => c.leases.listResources({ id: "l" })],
    ["list none", (c) => c.leases.listResources({ id: "nope" })],
    ["delete", (c) => c.leases.delete({ id: "l" })],
  ],
  plugins: [
    [
      "the sandboxes' service",
      (c) => c.introspection.plugins({ filters: ["type==io.containerd.grpc.v1,id==sandboxes"] }),
    ],
    [
      "the sandboxes' controller",
      (c) => c.introspection.plugins({ filters: ["type==io.containerd.sandbox.controller.v1"] }),
    ],
    ["the manager of shims", (c) => c.introspection.plugins({ filters: ["type==io.containerd.shim.v1"] })],
    ["the runtime", (c) => c.introspection.plugins({ filters: ["type==io.containerd.runtime.v2"] })],
    ["a broken filter", (c) => c.introspection.plugins({ filters: ["id=="] })],
    ["no such plugin", (c) => c.introspection.pluginInfo({ type: "io.containerd.grpc.v1", id: "nope" })],
  ],
};

describe("calls that ctr does not make: answers of ours and of the stock containerd", () => {
  const namespace = `e2e-grpc-${process.pid}`;
  const twins = new Twins(namespace);
  let ours: Clients;
  let stock: Clients;

  before(async () => {
    await twins.start();
    [ours, stock] = [
      connect(twins.ours.containerd.address, namespace),
      connect(twins.stock.containerd.address, namespace),
    ];
  });

  after(async () => {
    for (const clients of [ours, stock]) clients?.channel.close();
    await twins.dispose();
  });

  for (const [title, calls] of Object.entries(tables)) {
    it(title, async () => {
      const answers = async (clients: Clients): Promise<unknown[]> => {
        const found: unknown[] = [];
        for (const call of calls) found.push(await outcome(call, clients));
        return found;
      };
      const [here, there] = await Promise.all([answers(ours), answers(stock)]);
      assert.deepEqual(here, there);
    });
  }
});
