import { Conflict, InvalidArgument, NotFound } from "@longshore/errdefs";
import type { Container } from "./container.ts";
import { comparableTime } from "./time.ts";

/** Where containers are found that names of a request stand for. */
export interface ContainerFinder {
  /** @throws NotFound, InvalidArgument with Docker's messages */
  get(nameOrId: string): Container;
}

/** The containers that exist for somebody. */
export interface ContainerSet extends ContainerFinder {
  has(container: Container): boolean;
  /** Newest first. */
  list(): Container[];
}

/** All containers of the engine, found by id, name and unique id prefix. */
export class ContainerStore implements ContainerFinder {
  readonly #byId = new Map<string, Container>();
  /** Name without slash → id; a name is taken before its container exists. */
  readonly #names = new Map<string, string>();

  /** @throws Conflict when another container has the name */
  reserve(name: string, id: string): void {
    const owner = this.#names.get(name);
    if (owner !== undefined && owner !== id) {
      throw new Conflict(
        `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.#names.set(name, id);
  }

  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether a container has the id, or one is being made with it. */
  isReserved(id: string): boolean {
    return this.#byId.has(id) || [...this.#names.values()].includes(id);
  }

  release(name: string, id: string): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  add(container: Container): void {
    this.#byId.set(container.id, container);
  }

  delete(container: Container): void {
    this.#byId.delete(container.id);
    this.release(container.name, container.id);
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  /** In no order worth relying on: `list` sorts them. */
  all(): Iterable<Container> {
    return this.#byId.values();
  }

  /** Newest first. */
  list(): Container[] {
    const created = new Map(
      [...this.#byId.values()].map((container) => [container, comparableTime(container.record.Created)]),
    );
    // Those of one time in the order of their coming.
    return [...created]
      .reverse()
      .sort(([, a], [, b]) => (a < b ? 1 : a === b ? 0 : -1))
      .map(([container]) => container);
  }

  /** The container that another one's link names: `web/db`. */
  #linked(name: string): Container | undefined {
    const slash = name.indexOf("/");
    const parent = slash < 0 ? undefined : this.#byId.get(this.#names.get(name.slice(0, slash)) ?? "");
    const link = (parent?.hostConfig.Links ?? []).find((each) => each.endsWith(`:${name.slice(slash + 1)}`));
    return link === undefined ? undefined : this.#byId.get(link.slice(0, link.indexOf(":")));
  }

  /**
   * Full id, then exact name (with or without slash), a link's name, then unique id prefix.
   * @throws NotFound, InvalidArgument with Docker's messages
   */
  get(nameOrId: string): Container {
    if (nameOrId === "") throw new InvalidArgument("Container name or ID cannot be empty");
    const name = nameOrId.replace(/^\//, "");
    const exact = this.#byId.get(nameOrId) ?? this.#byId.get(this.#names.get(name) ?? "") ?? this.#linked(name);
    if (exact !== undefined) return exact;
    const matches: Container[] = [];
    for (const [id, container] of this.#byId) if (id.startsWith(nameOrId)) matches.push(container);
    if (matches.length > 1) throw new InvalidArgument(`multiple IDs found with provided prefix: ${nameOrId}`);
    const [only] = matches;
    if (only === undefined) throw new NotFound(`No such container: ${nameOrId}`);
    return only;
  }
}
