import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeContainerd } from "@longshore/containerd-client/testing";
import { hostFacts, settings as engineSettings } from "@longshore/docker-spec/testing";
import { silent } from "@longshore/logger";
import { readMountInfo, unmountTree } from "@longshore/sys";
import { restoreContainers } from "../boot/boot.ts";
import { resumeContainers } from "../boot/resume.ts";
import { createContainer } from "../lifecycle/create/create.ts";
import type { CreateRequest } from "../lifecycle/create/request.ts";
import { TaskMonitor } from "../lifecycle/end/monitor.ts";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { ContainerStore } from "../model/store.ts";
import { FakeNetwork, FakeVolumes, Refusals } from "./fakes.ts";

const snapshotter = "overlayfs";

/** An engine's containers over containerd in memory, fakes of networks and volumes, and real files. */
export class World {
  readonly dir = mkdtempSync(join(tmpdir(), "life-"));
  readonly containerd = new FakeContainerd({ snapshots: join(this.dir, "snapshots") });
  readonly refusals = new Refusals();
  readonly network = new FakeNetwork(this.refusals);
  readonly volumes = new FakeVolumes(join(this.dir, "volume"), this.refusals);
  /** `action`, in order, since the last look. */
  readonly events: string[] = [];
  context: Context = this.#newContext();
  #monitor: TaskMonitor | undefined;

  constructor() {
    for (const name of ["data/containers", "exec/attach", "volume"])
      mkdirSync(join(this.dir, name), { recursive: true });
  }

  #newContext(): Context {
    const unused = {
      check: async () => undefined,
      starting: async () => undefined,
      started: () => undefined,
      notStarted: () => undefined,
      ended: () => undefined,
    };
    return {
      containerd: this.containerd.client(),
      network: this.network.sandboxes,
      networks: {
        get: ((Name: string) => ({ Id: "b".repeat(64), Name })) as unknown as Context["networks"]["get"],
        validateEndpoint: () => undefined,
      },
      volumes: this.volumes.store,
      logFeeds: {
        ...unused,
        restored: () => undefined,
        removed: async () => this.refusals.meet("logs.removed"),
      } as unknown as Context["logFeeds"],
      images: {} as Context["images"],
      emit: (type, action) => void (type === "container" && this.events.push(action)),
      log: silent,
      settings: {
        dataRoot: join(this.dir, "data"),
        execRoot: join(this.dir, "exec"),
        snapshotter,
        defaultRuntime: "runc",
        runtimes: {
          runc: {
            shim: "io.containerd.longshore.v2",
            options: undefined,
            path: "runc",
            runtimeArgs: [],
            binary: "runc",
          },
        },
        logDriver: "json-file",
        logOpts: {},
        dns: [],
        dnsSearch: [],
        dnsOptions: [],
        bridge: "",
        engine: { ...engineSettings, dataRoot: join(this.dir, "data") },
      },
      host: hostFacts,
      store: new ContainerStore(),
      space: {
        spend: async (work) => {
          this.refusals.meet("disk.write");
          return await work();
        },
      } as Context["space"],
    };
  }

  /** Follows the ends of processes from now on. */
  follow(): void {
    this.#monitor = new TaskMonitor(this.context);
    this.#monitor.start();
  }

  /** The engine is killed, and its next process finds what there is. Nothing is started yet. */
  async reboot(): Promise<void> {
    await this.#monitor?.stop();
    this.#monitor = undefined;
    for (const { restart } of this.context.store.list()) clearTimeout(restart.timer);
    this.volumes.kept.clear();
    this.context = this.#newContext();
    await restoreContainers(this.context);
  }

  /** Goes on with what the former engine left undone. */
  resume(): Promise<void> {
    return resumeContainers(this.context);
  }

  async rebootAndResume(): Promise<void> {
    await this.reboot();
    await this.resume();
  }

  /** A container of no image with one named and one anonymous volume, as far as `more` does not say otherwise. */
  async create(more: Partial<CreateRequest["hostConfig"]> = {}, name = "one"): Promise<Container> {
    const { Id } = await createContainer(this.context, {
      name,
      platform: undefined,
      config: { Cmd: ["/run"], Volumes: { "/anonymous": {} } },
      hostConfig: { NetworkMode: "bridge", IpcMode: "shareable", Binds: ["named:/named"], ...more },
      endpoints: {},
    });
    return this.context.store.get(Id);
  }

  /** Makes a folder in the root file system of each container. */
  makeInRoot(path: string): void {
    const snapshots = this.containerd.store().snapshots(snapshotter).values();
    for (const { kind, path: root } of snapshots) if (kind === "active") mkdirSync(join(root, path));
  }

  /** All that there is of containers, wherever; shared layers and named volumes stay by design. */
  left(): Record<string, string[]> {
    const store = this.containerd.store();
    return {
      records: [...store.containers.keys()],
      snapshots: [...store.snapshots(snapshotter).keys()].filter((key) => !key.endsWith("-longshore-init")),
      leases: [...store.leases.keys()],
      tasks: [...store.tasks.keys()],
      sandboxes: [...this.network.live.keys()],
      volumes: [...this.volumes.names].filter((name) => name !== "named"),
      mountedVolumes: [...this.volumes.mounted],
      keptVolumes: [...this.volumes.kept],
      folders: readdirSync(join(this.dir, "data/containers")),
      mounts: readMountInfo()
        .map(({ mountPoint }) => mountPoint)
        .filter((path) => path.startsWith(this.dir)),
      places: ["mnt", "bound"].flatMap((name) => names(join(this.dir, "exec", name))),
      containers: this.context.store.list().map(({ id }) => id),
    };
  }

  async end(): Promise<void> {
    await this.#monitor?.stop();
    for (const { restart } of this.context.store.list()) clearTimeout(restart.timer);
    for (const path of this.left()["mounts"] ?? []) unmountTree(path);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
