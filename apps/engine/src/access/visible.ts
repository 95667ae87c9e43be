import { type Container, type ContainerFinder, type Context, type Exec, findExec } from "@longshore/containers";
import { NotFound } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import type { SentEvent } from "../events/hub.ts";
import { hasLabel } from "@longshore/list-filters";
import { policyOf } from "./socket-policy.ts";

/** Whether all of `wanted` (`key` or `key=value`) hold. */
function carries(labels: Readonly<Record<string, string>> | null | undefined, wanted: readonly string[]): boolean {
  return wanted.every((label) => hasLabel(label, labels ?? {}));
}

/**
 * The containers that exist for a request: all, or those with the labels that its socket is confined to. A name
 * is found and judged here at once, and what is found is handed on: a name may be another's a moment later.
 */
export class VisibleContainers implements ContainerFinder {
  readonly #context: Context;
  readonly #labels: readonly string[];

  constructor(context: Context, labels: readonly string[]) {
    this.#context = context;
    this.#labels = labels;
  }

  has({ record }: Container): boolean {
    return this.#labels.length === 0 || carries(record.Config.Labels, this.#labels);
  }

  list(): Container[] {
    return this.#context.store.list().filter((container) => this.has(container));
  }

  /** @throws NotFound, InvalidArgument as the store does, also for a container that does not exist for this request */
  get(nameOrId: string): Container {
    const container = this.#context.store.get(nameOrId);
    if (!this.has(container)) throw new NotFound(`No such container: ${nameOrId}`);
    return container;
  }

  /** @throws NotFound `No such exec instance: x` */
  exec(id: string): Exec {
    const exec = findExec(this.#context, id);
    if (!this.has(exec.container)) throw new NotFound(`No such exec instance: ${id}`);
    return exec;
  }
}

export function visible(request: FastifyRequest, context: Context): VisibleContainers {
  return new VisibleContainers(context, policyOf(request)?.containerLabels ?? []);
}

/** Which events exist for a request; those of removed containers, too. */
export function eventsVisible(request: FastifyRequest): (event: SentEvent) => boolean {
  const labels = policyOf(request)?.containerLabels ?? [];
  // Attributes of other objects are no labels of containers.
  return ({ Type, Actor }) => labels.length === 0 || (Type === "container" && carries(Actor?.Attributes, labels));
}
