import { AlreadyExists, InvalidArgument } from "@longshore/errdefs";
import { type Registration, uriOf } from "./registration.ts";

/** All plugins that the daemon may have, each registered once. */
export class Registry {
  readonly #registrations: Registration[] = [];

  /** @throws InvalidArgument without type or id, or for a plugin that requires its own type; AlreadyExists */
  register(registration: Registration): this {
    const { type, id, requires = [] } = registration;
    if (type === "") throw new InvalidArgument("plugin: no type");
    if (id === "") throw new InvalidArgument("plugin: no id");
    if (this.#registrations.some((other) => uriOf(other) === uriOf(registration)))
      throw new AlreadyExists(`${uriOf(registration)}: plugin: id already registered`);
    if (requires.includes(type)) throw new InvalidArgument("invalid requires");
    this.#registrations.push(registration);
    return this;
  }

  /**
   * The plugins in the order of their initialization: as registered, but each after all of the types it requires.
   * A type of which there is none orders nothing: who asks for it in its `init` is told so.
   * @param disabled URIs of plugins that are left out
   * @throws InvalidArgument for plugins that require each other
   */
  graph(disabled: readonly string[] = []): Registration[] {
    const ordered = new Set<Registration>();
    const enabled = this.#registrations.filter((registration) => !disabled.includes(uriOf(registration)));
    const visit = (registration: Registration, path: readonly Registration[]): void => {
      if (ordered.has(registration)) return;
      if (path.includes(registration))
        throw new InvalidArgument(
          `circular plugin dependency at ${uriOf(registration)}: plugin: dependency loop detected`,
        );
      for (const type of registration.requires ?? [])
        for (const other of enabled) if (other.type === type) visit(other, [...path, registration]);
      ordered.add(registration);
    };
    for (const registration of enabled) visit(registration, []);
    return [...ordered];
  }
}
