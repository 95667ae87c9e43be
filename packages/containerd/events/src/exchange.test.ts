import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  ContainerCreateSchema,
  ContainerUpdateSchema,
  TaskExitSchema,
} from "@longshore/proto/containerd/events/events";
import { type Envelope, EnvelopeSchema } from "@longshore/proto/containerd/types/types";
import { Exchange } from "./index.ts";
import { queueLimit } from "./subscription.ts";

/** The topics that a subscription has got, once `end` has ended it. */
async function topics(source: AsyncIterable<Envelope>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { namespace, topic } of source) seen.push(`${namespace}${topic}`);
  return seen;
}

describe("event exchange", () => {
  let exchange: Exchange;
  let end: AbortController;
  beforeEach(() => {
    exchange = new Exchange();
    end = new AbortController();
  });

  function publishAll(): void {
    exchange.publish("moby", "/containers/create", ContainerCreateSchema, {
      id: "c1",
      image: "img",
      runtime: { name: "runc" },
    });
    exchange.publish("default", "/containers/update", ContainerUpdateSchema, { id: "c2", labels: { "a.b": "c" } });
    exchange.publish("moby", "/tasks/exit", TaskExitSchema, { containerId: "c1", id: "e1", exitStatus: 3 });
    end.abort();
  }

  const cases: [filters: string[], wanted: string[]][] = [
    [[], ["moby/containers/create", "default/containers/update", "moby/tasks/exit"]],
    [["namespace==default"], ["default/containers/update"]],
    [["topic~=|^/containers/|"], ["moby/containers/create", "default/containers/update"]],
    [["event.id==c1"], ["moby/containers/create"]],
    [["event.container_id==c1,event.id==e1"], ["moby/tasks/exit"]],
    [["event.runtime.name==runc"], ["moby/containers/create"]],
    [["event.labels.a.b==c"], ["default/containers/update"]],
    [["event.exit_status==3"], []],
    [
      ["event.image", 'topic=="/tasks/exit"'],
      ["moby/containers/create", "moby/tasks/exit"],
    ],
  ];
  for (const [filters, wanted] of cases) {
    it(`filters by ${JSON.stringify(filters)}`, async () => {
      const subscription = exchange.subscribe(filters, end.signal);
      publishAll();
      assert.deepEqual(await topics(subscription), wanted);
    });
  }

  it("wakes a waiting subscriber, and packs events under bare names", async () => {
    const iterator = exchange.subscribe([], end.signal)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    exchange.publish("moby", "/containers/create", ContainerCreateSchema, { id: "c1" });
    const { value } = await waiting;
    assert.equal((value as Envelope).event?.typeUrl, "containerd.events.ContainerCreate");
    end.abort();
    assert.equal((await iterator.next()).done, true);
  });

  it("forwards an envelope as it is", async () => {
    const subscription = exchange.subscribe([], end.signal);
    const envelope = create(EnvelopeSchema, {
      namespace: "n",
      topic: "/tasks/oom",
      timestamp: { seconds: 5n, nanos: 7 },
      event: { typeUrl: "unknown", value: new Uint8Array([1]) },
    });
    exchange.forward(envelope);
    end.abort();
    for await (const received of subscription) assert.equal(received, envelope);
  });

  it("survives an event that is no message", async () => {
    const subscription = exchange.subscribe(["event.id==x"], end.signal);
    exchange.publishAny("n", "/a", {
      $typeName: "google.protobuf.Any",
      typeUrl: "containerd.events.ContainerCreate",
      value: new Uint8Array([0xff]),
    });
    end.abort();
    assert.deepEqual(await topics(subscription), []);
  });

  it("cuts a subscriber off that falls too far behind, and spares the others", async () => {
    const slow = exchange.subscribe();
    for (let count = 0; count <= queueLimit; count++) exchange.publish("n", "/a", ContainerCreateSchema, {});
    const subscription = exchange.subscribe([], end.signal);
    exchange.publish("n", "/b", ContainerCreateSchema, {});
    end.abort();
    await assert.rejects(topics(slow), { name: "ResourceExhausted" });
    assert.deepEqual(await topics(subscription), ["n/b"]);
  });

  const badTopics: [topic: string, message: string][] = [
    ["foo", `envelope topic "foo": must start with '/': invalid argument`],
    ["", `envelope topic "": must not be empty: invalid argument`],
    ["/", `envelope topic "/": must have at least one component: invalid argument`],
    ["/a/", `envelope topic "/a/": failed validation on component "": identifier must not be empty: invalid argument`],
  ];
  for (const [topic, message] of badTopics) {
    it(`refuses the topic ${JSON.stringify(topic)}`, () =>
      assert.throws(() => exchange.publish("n", topic, ContainerCreateSchema, {}), {
        name: "InvalidArgument",
        message,
      }));
  }

  it("refuses a bad filter with containerd's words", () => {
    assert.throws(() => exchange.subscribe(["a=b"]), {
      name: "Unknown",
      message: /^subscription error: failed parsing subscription filters: filters: parse error: /,
    });
  });
});
