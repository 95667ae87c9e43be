import { Unavailable } from "@longshore/errdefs";
import { TaskExitSchema, TaskOOMSchema } from "@longshore/proto/containerd/events/events";
import { Containers } from "@longshore/proto/containerd/services/containers/v1/containers";
import { Content } from "@longshore/proto/containerd/services/content/v1/content";
import { Diff } from "@longshore/proto/containerd/services/diff/v1/diff";
import { Events } from "@longshore/proto/containerd/services/events/v1/events";
import { Images } from "@longshore/proto/containerd/services/images/v1/images";
import { Introspection } from "@longshore/proto/containerd/services/introspection/v1/introspection";
import { Leases } from "@longshore/proto/containerd/services/leases/v1/leases";
import { Namespaces } from "@longshore/proto/containerd/services/namespaces/v1/namespaces";
import { Snapshots } from "@longshore/proto/containerd/services/snapshots/v1/snapshots";
import { Streaming } from "@longshore/proto/containerd/services/streaming/v1/streaming";
import { Tasks } from "@longshore/proto/containerd/services/tasks/v1/tasks";
import { Transfer } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import { Version } from "@longshore/proto/containerd/services/version/v1/version";
import type { ContainerdClient } from "../connection/client.ts";
import { inNamespace, namespaceOf } from "../namespaces/metadata.ts";
import { collectGarbage } from "./collect.ts";
import { type Around, directClient } from "./direct.ts";
import { EventBus } from "./events.ts";
import { type CallName, Faults } from "./faults.ts";
import { type Behaviour, type FakeProcess, type FakeTask, defaultBehaviour } from "./process.ts";
import { containersService } from "./services/containers.ts";
import { contentService } from "./services/content.ts";
import { diffService } from "./services/diff.ts";
import { imagesService } from "./services/images.ts";
import { leasesService } from "./services/leases.ts";
import { namespacesService } from "./services/namespaces.ts";
import { snapshotsService } from "./services/snapshots.ts";
import { Streams, type TransferWork } from "./services/streaming.ts";
import { tasksService } from "./services/tasks.ts";
import { now, type Shared, Store } from "./store.ts";

export interface FakeOptions {
  /** Where each snapshot gets a folder, which its mounts bind; absent: its mounts lead nowhere. */
  readonly snapshots?: string;
  /** The namespace that is meant where none is given. */
  readonly namespace?: string;
}

/** A call that the fake was asked for. */
export interface RecordedCall {
  readonly name: CallName;
  readonly namespace: string;
  /** The message; of a call with a stream of them, the stream. */
  readonly request: unknown;
}

/**
 * containerd in memory, for unit tests of its clients: records, content, snapshots, leases, events, and tasks whose
 * processes a test ends as it likes. What a client sees of it is held to the real one's by the contract in this folder.
 */
export class FakeContainerd {
  readonly #stores = new Map<string, Store>();
  readonly #namespace: string;
  readonly #snapshots: string | undefined;
  readonly #streams = new Streams();
  readonly events = new EventBus();
  /** Makes calls fail, wait, or lose their answers. */
  readonly faults = new Faults();
  /** How processes behave; members may be replaced at any time. */
  readonly behaviour: Behaviour = defaultBehaviour();
  /** All calls, in order. */
  readonly calls: RecordedCall[] = [];
  /** What a transfer does; without, none is served. */
  onTransfer: TransferWork | undefined;
  #down = false;

  constructor({ snapshots, namespace = "moby" }: FakeOptions = {}) {
    this.#snapshots = snapshots;
    this.#namespace = namespace;
  }

  /** A client whose calls are made in `namespace`. */
  client(namespace = this.#namespace): ContainerdClient {
    const shared: Shared = { stores: this.#stores, events: this.events, collect: () => this.collect() };
    const base = inNamespace(namespace);
    const { events } = this;
    const around = this.#around;
    return {
      containers: directClient("containers", Containers, containersService(shared), base, around),
      content: directClient("content", Content, contentService(shared), base, around),
      diff: directClient("diff", Diff, diffService(shared), base, around),
      events: directClient(
        "events",
        Events,
        {
          publish({ topic, event }, context) {
            events.send({
              $typeName: "containerd.types.Envelope",
              namespace: namespaceOf(context),
              topic,
              timestamp: now(),
              ...(event === undefined ? {} : { event }),
            });
            return {};
          },
          forward({ envelope }) {
            if (envelope !== undefined) events.send(envelope);
            return {};
          },
          subscribe: ({ filters }, { signal }) => events.subscribe(filters, signal),
        },
        base,
        around,
      ),
      images: directClient("images", Images, imagesService(shared), base, around),
      introspection: directClient(
        "introspection",
        Introspection,
        {
          plugins: () => ({ plugins: [] }),
          server: () => ({ uuid: "00000000-0000-4000-8000-000000000000", pid: 1n, pidns: 1n }),
          pluginInfo: () => ({}),
        },
        base,
        around,
      ),
      leases: directClient("leases", Leases, leasesService(shared), base, around),
      namespaces: directClient("namespaces", Namespaces, namespacesService(shared), base, around),
      snapshots: directClient("snapshots", Snapshots, snapshotsService(shared, this.#snapshots), base, around),
      streaming: directClient("streaming", Streaming, this.#streams.streaming, base, around),
      tasks: directClient(
        "tasks",
        Tasks,
        tasksService({ ...shared, behaviour: this.behaviour, exit: (...args) => this.#exit(...args) }),
        base,
        around,
      ),
      transfer: directClient(
        "transfer",
        Transfer,
        this.#streams.transfer(() => this.onTransfer),
        base,
        around,
      ),
      version: directClient("version", Version, { version: () => ({ version: "v2.1.0", revision: "" }) }, base, around),
    };
  }

  /** What a namespace has. */
  store(namespace = this.#namespace): Store {
    const store = this.#stores.get(namespace) ?? new Store(namespace);
    this.#stores.set(namespace, store);
    return store;
  }

  /** @throws Error when there is none */
  task(id: string, namespace = this.#namespace): FakeTask {
    const task = this.store(namespace).tasks.get(id);
    if (task === undefined) throw new Error(`the fake has no task ${id}`);
    return task;
  }

  /** @throws Error when there is none */
  process(id: string, execId = "", namespace = this.#namespace): FakeProcess {
    const task = this.task(id, namespace);
    const process = execId === "" ? task.init : task.execs.get(execId);
    if (process === undefined) throw new Error(`the fake has no exec ${execId} of ${id}`);
    return process;
  }

  /** Has a process end with this code, and tells of it; the end of an init is that of all execs. */
  exit(id: string, code: number, execId = "", namespace = this.#namespace): void {
    this.#exit(namespace, this.process(id, execId, namespace), code);
  }

  /** Has a process end without a word: what containerd tells of it is lost, and only its state says so. */
  exitUnseen(id: string, code: number, execId = "", namespace = this.#namespace): void {
    this.process(id, execId, namespace).stop(code);
  }

  /** Tells that the kernel killed a process of the container for lack of memory. */
  oom(containerId: string, namespace = this.#namespace): void {
    this.events.publish(namespace, "/tasks/oom", TaskOOMSchema, { containerId });
  }

  /** From now on nobody answers, and subscriptions break off; processes go on. */
  goDown(): void {
    this.#down = true;
    this.events.interrupt();
  }

  comeBack(): void {
    this.#down = false;
  }

  /** Removes what neither a lease nor an image nor a container leads to. */
  collect(): void {
    for (const store of this.#stores.values()) collectGarbage(store);
  }

  #exit(namespace: string, process: FakeProcess, code: number): void {
    const { containerId, execId } = process;
    const execs = execId === "" ? [...(this.store(namespace).tasks.get(containerId)?.execs.values() ?? [])] : [];
    for (const exec of execs) if (exec.pid !== 0) this.#exit(namespace, exec, 137);
    if (!process.stop(code)) return;
    const { pid, exitedAt } = process;
    this.events.publish(namespace, "/tasks/exit", TaskExitSchema, {
      containerId,
      id: execId || containerId,
      pid,
      exitStatus: code,
      ...(exitedAt === undefined ? {} : { exitedAt }),
    });
  }

  readonly #around: Around = ({ name, metadata, request }, run) => {
    if (this.#down) throw new Unavailable("No connection established");
    this.calls.push({ name: name as CallName, namespace: namespaceOf({ metadata }), request });
    return this.faults.around(name as CallName, request, run);
  };
}
