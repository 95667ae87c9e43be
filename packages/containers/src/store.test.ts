import assert from "node:assert/strict";
import { Container } from "./container.ts";
import { checkName, generateName, newContainerId } from "./names.ts";
import { type ContainerRecord, newState } from "./record.ts";
import { ContainerStore } from "./store.ts";

function made(store: ContainerStore, id: string, name: string): Container {
  const container = new Container({ ID: id, Name: `/${name}`, Created: id, State: newState() } as ContainerRecord, {} as never, "/nowhere", { spend: (work) => work() });
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

  it("keeps names apart", () => {
    const store = new ContainerStore();
    const first = made(store, one, "first");
    assert.throws(() => store.reserve("first", two), /The container name "\/first" is already in use by container "abab/);
    store.delete(first);
    store.reserve("first", two);
  });

  it("checks and makes up names and ids", () => {
    assert.equal(checkName("/a.b-c_1"), "a.b-c_1");
    for (const bad of ["a", "_a", "a b", "", "/", "a/b"]) assert.throws(() => checkName(bad), /Invalid container name/);
    assert.match(generateName(() => false), /^[a-z]+_[a-z]+$/);
    assert.match(newContainerId(), /^[0-9a-f]{64}$/);
  });

  it("wakes waiters by their condition", async () => {
    const store = new ContainerStore();
    const container = made(store, one, "first");
    container.record.State.Running = true;
    const stopped = container.wait("not-running");
    const removed = container.wait("removed");
    Object.assign(container.record.State, { Running: false, ExitCode: 5 });
    container.notify("stopped");
    assert.deepEqual(await stopped, { StatusCode: 5 });
    assert.deepEqual(await container.wait("not-running"), { StatusCode: 5 });
    container.notify("removed");
    assert.deepEqual(await removed, { StatusCode: 5 });
  });
});
