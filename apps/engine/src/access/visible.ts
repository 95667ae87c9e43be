import type { Container, ContainersBackend, ContainerSet, ExecBackend } from "@longshore/containers";
import { NotFound } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import type { SentEvent } from "../events/hub.ts";
import { hasLabel } from "@longshore/list-filters";
import { parameter } from "../routes/parameters.ts";
import { policyOf } from "./socket-policy.ts";

/** Whether all of `wanted` (`key` or `key=value`) hold. */
function carries(labels: Readonly<Record<string, string>> | null | undefined, wanted: readonly string[]): boolean {
  return wanted.every((label) => hasLabel(label, labels ?? {}));
}

/**
 * The containers that exist for a request: all, or those with the labels that its socket is confined to. A name
 * is found and judged here at once, and what is found is handed on: a name may be another's a moment later.
 */
export class VisibleContainers implements ContainerSet {
  readonly #containers: Pick<ContainersBackend, "find" | "all">;
  readonly #labels: readonly string[];

  constructor(containers: Pick<ContainersBackend, "find" | "all">, labels: readonly string[]) {
    this.#containers = containers;
    this.#labels = labels;
  }

  has({ record }: Container): boolean {
    return this.#labels.length === 0 || carries(record.Config.Labels, this.#labels);
  }

  list(): Container[] {
    return this.#containers.all().filter((container) => this.has(container));
  }

  /** @throws NotFound, InvalidArgument as the store does, also for a container that does not exist for this request */
  get(nameOrId: string): Container {
    const container = this.#containers.find(nameOrId);
    if (!this.has(container)) throw new NotFound(`No such container: ${nameOrId}`);
    return container;
  }
}

export function visible(
  request: FastifyRequest,
  containers: Pick<ContainersBackend, "find" | "all">,
): VisibleContainers {
  return new VisibleContainers(containers, policyOf(request)?.containerLabels ?? []);
}

/** The exec that a request names in its path. @throws NotFound `No such exec instance: x` also for one whose container does not exist for it */
export function visibleExec(
  request: FastifyRequest,
  execs: Pick<ExecBackend, "find">,
  containers: Pick<ContainersBackend, "find" | "all">,
): ReturnType<ExecBackend["find"]> {
  const id = parameter(request, "id");
  const exec = execs.find(id);
  if (!visible(request, containers).has(exec.container)) throw new NotFound(`No such exec instance: ${id}`);
  return exec;
}

/** Which events exist for a request; those of removed containers, too. */
export function eventsVisible(request: FastifyRequest): (event: SentEvent) => boolean {
  const labels = policyOf(request)?.containerLabels ?? [];
  // Attributes of other objects are no labels of containers.
  return ({ Type, Actor }) => labels.length === 0 || (Type === "container" && carries(Actor?.Attributes, labels));
}
