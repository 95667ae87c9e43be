import assert from "node:assert/strict";
import { Container } from "./container.ts";
import { checkName, generateName, newContainerId } from "./names.ts";
import { type ContainerRecord, newState } from "./record.ts";
import { ContainerStore } from "./store.ts";
import { nowNano } from "./time.ts";

function made(store: ContainerStore, id: string, name: string): Container {
  const container = new Container(
    { ID: id, Name: `/${name}`, Created: id, State: newState() } as ContainerRecord,
    {} as never,
    "/nowhere",
    { spend: (work) => work() },
  );
  store.reserve(name, id);
  store.add(container);
  return container;
}

describe("finding containers", () => {
  const one = "ab".repeat(32);
  const two = "ac".repeat(32);

  it("by id, name with and without slash, unique prefix", () => {
    const store = new ContainerStore();
    const first = made(store, one, "first");
    made(store, two, "ac");
    assert.equal(store.get(one), first);
    assert.equal(store.get("first"), first);
    assert.equal(store.get("/first"), first);
    assert.equal(store.get("ab"), first);
    // A name goes before a prefix.
    assert.equal(store.get("ac").id, two);
    assert.throws(() => store.get("a"), { message: "multiple IDs found with provided prefix: a" });
    assert.throws(() => store.get("nope"), { message: "No such container: nope" });
  });

  it("lists the newest first, whose time may be written shorter", () => {
    const store = new ContainerStore();
    const times = [
      "2026-01-02T03:04:05Z",
      "2026-01-02T03:04:05.1Z",
      "2026-01-02T03:04:05.1000001Z",
      "2026-01-02T03:04:05.12Z",
      "2026-01-02T03:04:06Z",
    ];
    for (const [place, time] of times.entries()) made(store, one.slice(1) + place, `c${place}`).record.Created = time;
    made(store, two, "same").record.Created = times[4] ?? "";
    assert.deepEqual(
      store.list().map(({ name }) => name),
      ["same", "c4", "c3", "c2", "c1", "c0"],
    );
  });

  it("never tells one time twice", () => {
    const nanos = Array.from({ length: 5000 }, nowNano);
    assert.equal(new Set(nanos).size, nanos.length);
  });

  it("keeps names apart", () => {
    const store = new ContainerStore();
    const first = made(store, one, "first");
    assert.throws(
      () => store.reserve("first", two),
      /The container name "\/first" is already in use by container "abab/,
    );
    store.delete(first);
    store.reserve("first", two);
  });

  it("checks and makes up names and ids", () => {
    assert.equal(checkName("/a.b-c_1"), "a.b-c_1");
    for (const bad of ["a", "_a", "a b", "", "/", "a/b"]) assert.throws(() => checkName(bad), /Invalid container name/);
    assert.match(
      generateName(() => false),
      /^[a-z]+_[a-z]+$/,
    );
    assert.match(newContainerId(), /^[0-9a-f]{64}$/);
  });

  it("wakes waiters by their condition", async () => {
    const store = new ContainerStore();
    const container = made(store, one, "first");
    container.record.State.Running = true;
    const stopped = container.wait("not-running");
    const removed = container.wait("removed");
    Object.assign(container.record.State, { Running: false, ExitCode: 5 });
    container.stopped();
    assert.deepEqual(await stopped, { StatusCode: 5 });
    assert.deepEqual(await container.wait("not-running"), { StatusCode: 5 });
    container.removed();
    assert.deepEqual(await removed, { StatusCode: 5 });
  });
});
