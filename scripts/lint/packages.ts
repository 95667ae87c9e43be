import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What the layer rule looks at in one workspace package. */
export interface Package {
  name: string;
  layer: string;
  dependencies: string[];
}

/** From the bottom up; a package may use its own layer and those below. */
const layers = ["leaf", "core", "edge", "app", "test"];

/** Libraries that belong to the edge: no package below may know them. */
const edgeLibraries = ["fastify", "@grpc/grpc-js"];

/** Reads every package.json of the workspace below `root`. */
export function readPackages(root: string): Package[] {
  const folders = ["apps", "packages"].flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)));
  return [...folders, join(root, "e2e")]
    .map((folder) => join(folder, "package.json"))
    .filter((file) => existsSync(file))
    .map((file) => {
      const { name, longshore, dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
        name: string;
        longshore?: { layer?: string };
        dependencies?: Record<string, string>;
      };
      return { name, layer: longshore?.layer ?? "", dependencies: Object.keys(dependencies ?? {}) };
    });
}

function findCycle(start: Package, byName: Map<string, Package>): string[] | undefined {
  const visit = (current: Package, path: string[], seen: Set<string>): string[] | undefined => {
    for (const dependency of current.dependencies) {
      if (dependency === start.name) return [...path, dependency];
      const next = byName.get(dependency);
      if (next === undefined || seen.has(dependency)) continue;
      seen.add(dependency);
      const cycle = visit(next, [...path, dependency], seen);
      if (cycle !== undefined) return cycle;
    }
    return undefined;
  };
  return visit(start, [start.name], new Set());
}

/** One line for each breach of the direction apps → edge → core → leaf, and for each cycle. */
export function findViolations(packages: Package[]): string[] {
  const byName = new Map(packages.map((each) => [each.name, each]));
  const violations: string[] = [];
  for (const each of packages) {
    const rank = layers.indexOf(each.layer);
    if (rank < 0) violations.push(`${each.name}: package.json names no layer (longshore.layer: ${layers.join(", ")})`);
    for (const dependency of each.dependencies) {
      const other = byName.get(dependency);
      if (other !== undefined && layers.indexOf(other.layer) > rank) {
        violations.push(`${each.name} (${each.layer}) must not use ${dependency} (${other.layer})`);
      }
      if (edgeLibraries.includes(dependency) && rank < layers.indexOf("edge")) {
        violations.push(`${each.name} (${each.layer}) must not know ${dependency}`);
      }
    }
    if (each.name === "@longshore/shim") {
      for (const dependency of each.dependencies) {
        const other = byName.get(dependency);
        if (other !== undefined && other.layer !== "leaf") violations.push(`the shim must import leaf packages only, not ${dependency}`);
      }
    }
    const cycle = findCycle(each, byName);
    if (cycle !== undefined && cycle.slice(0, -1).every((name) => name >= each.name)) violations.push(`cycle: ${cycle.join(" → ")}`);
  }
  return violations;
}
