import type { Container } from "../model/container.ts";

/** What has to be true of a container before another one is started. Compose's names. */
export type Condition = "service_started" | "service_healthy" | "service_completed_successfully";

export interface Dependency {
  on: string;
  condition: Condition;
}

/** What the order is made from. */
export interface Candidate {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  /** Names or ids of containers whose namespaces it joins. */
  joins: readonly string[];
}

const label = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  oneoff: "com.docker.compose.oneoff",
  /** `service:condition:restart`, separated by commas. */
  dependsOn: "com.docker.compose.depends_on",
} as const;

const conditions: readonly string[] = [
  "service_started",
  "service_healthy",
  "service_completed_successfully",
] satisfies Condition[];

export function candidateOf({ id, name, record, hostConfig }: Container): Candidate {
  const { NetworkMode, PidMode, IpcMode } = hostConfig;
  const joins = [NetworkMode, PidMode, IpcMode].flatMap((mode) =>
    mode.startsWith("container:") ? [mode.slice("container:".length)] : [],
  );
  return { id, name, labels: record.Config.Labels ?? {}, joins };
}

function declared({ labels, joins }: Candidate, all: readonly Candidate[]): Dependency[] {
  const services = (labels[label.dependsOn] ?? "").split(",").flatMap((entry) => {
    const [service = "", condition = ""] = entry.split(":");
    const replicas = all.filter(
      (other) =>
        other.labels[label.project] === labels[label.project] &&
        other.labels[label.service] === service &&
        other.labels[label.oneoff] !== "True",
    );
    return service === ""
      ? []
      : replicas.map(({ id }): Dependency => ({
          on: id,
          condition: conditions.includes(condition) ? (condition as Condition) : "service_started",
        }));
  });
  const joined = all
    .filter(({ id, name }) => joins.includes(id) || joins.includes(name))
    .map(({ id }): Dependency => ({ on: id, condition: "service_started" }));
  return [...services, ...joined];
}

/**
 * Whom each container waits for when many are started at once: compose's dependencies, and containers
 * whose namespaces are joined. Where they go in a circle, the dependency that closes it is left out.
 * @returns by id
 */
export function dependencies(all: readonly Candidate[]): Map<string, Dependency[]> {
  const result = new Map<string, Dependency[]>();
  const byId = new Map(all.map((candidate) => [candidate.id, candidate]));
  const path = new Set<string>();
  const visit = (candidate: Candidate): void => {
    if (result.has(candidate.id)) return;
    path.add(candidate.id);
    const kept: Dependency[] = [];
    for (const dependency of declared(candidate, all)) {
      const on = byId.get(dependency.on);
      if (on === undefined || path.has(dependency.on)) continue;
      visit(on);
      kept.push(dependency);
    }
    path.delete(candidate.id);
    result.set(candidate.id, kept);
  };
  for (const candidate of all.toSorted((a, b) => (a.name < b.name ? -1 : 1))) visit(candidate);
  return result;
}
