import { NotFound } from "@longshore/errdefs";
import type { Volume } from "@longshore/docker-api";
import type { Sandbox } from "@longshore/networks";
import type { VolumeStore } from "@longshore/volumes";
import type { Context } from "../model/context.ts";

/** What fails next: the call's name, such as `network.allocate`, and the error. It is over when it has met a call. */
export class Refusals {
  readonly #next = new Map<string, Error>();

  set(name: string, error: Error): void {
    this.#next.set(name, error);
  }

  meet(name: string): void {
    const error = this.#next.get(name);
    this.#next.delete(name);
    if (error !== undefined) throw error;
  }

  get pending(): string[] {
    return [...this.#next.keys()];
  }
}

/** Sandboxes in memory. */
export class FakeNetwork {
  readonly live = new Map<string, Sandbox>();
  readonly #refusals: Refusals;

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
  }

  get sandboxes(): Context["network"] {
    const unused = (): never => {
      throw new Error("not part of a container's life");
    };
    return {
      allocate: async ({ containerId }) => {
        this.#refusals.meet("network.allocate");
        const sandbox = { id: "5".repeat(64), netnsPath: "/proc/1/ns/net", networks: {}, ports: {}, portBindings: {} };
        this.live.set(containerId, sandbox);
        return sandbox;
      },
      release: async (id) => {
        this.#refusals.meet("network.release");
        this.live.delete(id);
      },
      restore: async (running) => {
        for (const id of this.live.keys()) if (!running.has(id)) this.live.delete(id);
      },
      get: (id) => this.live.get(id),
      rename: async (id) => this.live.get(id),
      connect: unused,
      disconnect: unused,
      publish: unused,
    };
  }
}

/** Volumes that all lead to one folder. */
export class FakeVolumes {
  readonly names = new Set<string>();
  /** `volume container`, of what is mounted and of who keeps it. */
  readonly mounted = new Set<string>();
  readonly kept = new Set<string>();
  readonly #folder: string;
  readonly #refusals: Refusals;
  #anonymous = 0;

  constructor(folder: string, refusals: Refusals) {
    this.#folder = folder;
    this.#refusals = refusals;
  }

  get store(): VolumeStore {
    const volume = (Name: string): Volume => ({
      Name,
      Driver: "local",
      Mountpoint: this.#folder,
      Labels: null,
      Options: null,
      Scope: "local",
    });
    return {
      create: async ({ Name }) => {
        this.#refusals.meet("volumes.create");
        const name = Name || `anonymous-${++this.#anonymous}`;
        this.names.add(name);
        return volume(name);
      },
      get: async (name) => {
        if (!this.names.has(name)) throw new NotFound(`get ${name}: no such volume`);
        return volume(name);
      },
      list: async () => ({ volumes: [...this.names].map(volume), warnings: [] }),
      remove: async (name) => {
        this.#refusals.meet("volumes.remove");
        this.names.delete(name);
      },
      prune: async () => ({ deleted: [], reclaimed: 0 }),
      usage: async () => [],
      reference: (name, id) => void this.kept.add(`${name} ${id}`),
      dereference: (name, id) => void this.kept.delete(`${name} ${id}`),
      references: (name) => [...this.kept].filter((each) => each.startsWith(`${name} `)),
      mount: async (name, id) => {
        this.#refusals.meet("volumes.mount");
        this.mounted.add(`${name} ${id}`);
        return this.#folder;
      },
      unmount: async (name, id) => {
        this.#refusals.meet("volumes.unmount");
        this.mounted.delete(`${name} ${id}`);
      },
      copyUp: async () => undefined,
      releaseUnclaimed: () => undefined,
    };
  }
}
