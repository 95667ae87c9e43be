import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What the layer rule looks at in one workspace package. */
export interface Package {
  name: string;
  /** Its folder below the root: `packages/<side or layer>/<name>`, `apps/<name>` or `e2e`. */
  folder: string;
  dependencies: string[];
  devDependencies: string[];
}

/** What a package in each folder may use beside its own folder; that is the whole direction of the house. */
const mayUse: Record<string, readonly string[]> = {
  "packages/base": [],
  "packages/protocol": ["packages/base"],
  "packages/shared": ["packages/base", "packages/protocol"],
  // The three sides meet over a socket only.
  "packages/containerd": ["packages/base", "packages/protocol", "packages/shared"],
  "packages/engine": ["packages/base", "packages/protocol", "packages/shared"],
  "packages/build": ["packages/base", "packages/protocol", "packages/shared"],
  apps: [
    "packages/base",
    "packages/protocol",
    "packages/shared",
    "packages/containerd",
    "packages/engine",
    "packages/build",
  ],
  e2e: ["packages/base", "packages/protocol", "packages/shared", "packages/engine"],
};

/** An app is one process: it uses one side. The small ones, of which there are many or which outlive the others, use none. */
const sidesOf: Record<string, readonly string[]> = {
  "apps/engine": ["packages/engine"],
  "apps/containerd": ["packages/containerd"],
  "apps/buildkitd": ["packages/build"],
  "apps/docker-proxy": [],
  "apps/shim": [],
};
const smallApps = Object.keys(sidesOf).filter((folder) => sidesOf[folder]?.length === 0);
const sides = ["packages/containerd", "packages/engine", "packages/build"];

/** Libraries that only the edge may know. */
const edgeLibraries: Record<string, readonly string[]> = {
  fastify: ["apps/engine"],
  "@grpc/grpc-js": ["packages/protocol/grpc"],
};

/** Reads every package.json of the workspace below `root`. */
export function readPackages(root: string): Package[] {
  const below = (folder: string): string[] =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => `${folder}/${name}`) : [];
  return [...below("apps"), ...below("packages").flatMap(below), "e2e"]
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => {
      const { name, dependencies, devDependencies } = JSON.parse(
        readFileSync(join(root, folder, "package.json"), "utf8"),
      ) as {
        name: string;
        dependencies?: Record<string, string>;
        devDependencies?: Record<string, string>;
      };
      return {
        name,
        folder,
        dependencies: Object.keys(dependencies ?? {}),
        devDependencies: Object.keys(devDependencies ?? {}),
      };
    });
}

/** `packages/base` for `packages/base/sys`, `apps` for `apps/shim`. */
function roomOf(folder: string): string {
  return folder.slice(0, Math.max(folder.lastIndexOf("/"), 0)) || folder;
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

function findBreaches(each: Package, byName: Map<string, Package>): string[] {
  const room = roomOf(each.folder);
  const allowed = mayUse[room];
  if (allowed === undefined)
    return [`${each.folder}: ${room} is no folder of the architecture (${Object.keys(mayUse).join(", ")})`];
  const breaches: string[] = [];
  // What only tests use obeys the same direction: a test that crosses it would hide a missing seam.
  for (const dependency of [...each.dependencies, ...each.devDependencies]) {
    const other = byName.get(dependency);
    const otherRoom = other === undefined ? undefined : roomOf(other.folder);
    const side = sidesOf[each.folder];
    if (otherRoom !== undefined && otherRoom !== room && !allowed.includes(otherRoom))
      breaches.push(`${each.folder} must not use ${other!.folder}`);
    else if (otherRoom !== undefined && side !== undefined && sides.includes(otherRoom) && !side.includes(otherRoom))
      breaches.push(`${each.folder} is of another side than ${other!.folder}`);
    else if (smallApps.includes(each.folder) && otherRoom === "packages/shared")
      breaches.push(`${each.folder} must stay small and not use ${other!.folder}`);
    const edge = edgeLibraries[dependency];
    if (edge !== undefined && !edge.includes(each.folder)) breaches.push(`${each.folder} must not know ${dependency}`);
  }
  return breaches;
}

/** One line for each breach of the direction base ← protocol ← shared ← {containerd | engine | build} ← apps, and for each cycle. */
export function findViolations(packages: Package[]): string[] {
  const byName = new Map(packages.map((each) => [each.name, each]));
  return packages.flatMap((each) => {
    const cycle = findCycle(each, byName);
    const first = cycle !== undefined && cycle.slice(0, -1).every((name) => name >= each.name);
    return [...findBreaches(each, byName), ...(first ? [`cycle: ${cycle.join(" → ")}`] : [])];
  });
}
