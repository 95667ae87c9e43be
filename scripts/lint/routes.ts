import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import type { Package } from "./packages.ts";

/** Where the routes of the engine lie. */
export const routesFolder = "apps/engine/src/routes";

/** What routes parse and render with; of all other packages of the engine's side, and of what is shared, they know types only. */
const parsers: readonly string[] = ["@longshore/list-filters"];

/** One file's text, by its path below the root. */
export interface Source {
  path: string;
  text: string;
}

/** Reads the routes below `root`, without their tests. */
export function readRoutes(root: string): Source[] {
  return readdirSync(join(root, routesFolder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => ({
      path: `${routesFolder}/${name}`,
      text: readFileSync(join(root, routesFolder, name), "utf8"),
    }));
}

/** Whether an import brings nothing that is there at run time. */
function isOfTypes(clause: string): boolean {
  if (/^type\b/.test(clause)) return true;
  const named = /^\{([^}]*)\}$/.exec(clause)?.[1];
  return named !== undefined && named.split(",").every((each) => each.trim() === "" || /^type\b/.test(each.trim()));
}

/**
 * One line for each import by which a route does what a backend is there for: of an implementation in the engine's or the
 * shared packages, or of this app's own implementations.
 */
export function findRouteViolations(sources: readonly Source[], packages: readonly Package[]): string[] {
  const implementations = new Set(
    packages
      .filter(({ name, folder }) => /^packages\/(engine|shared)\//.test(folder) && !parsers.includes(name))
      .map(({ name }) => name),
  );
  const app = posix.dirname(routesFolder);
  const own = /^(daemon|engine|images|run|settings|runtimes|reload|networks\/.*|system\/(?!backend|product).*)\.ts$/;
  const isOwn = (path: string, from: string): boolean =>
    from.startsWith(".") && own.test(posix.relative(app, posix.join(posix.dirname(path), from)));
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^import ([^"]*?) ?(?:from )?"([^"]+)";/gms)]
      .filter(([, clause = "", from = ""]) => (implementations.has(from) || isOwn(path, from)) && !isOfTypes(clause))
      .map(([, , from]) => `${path} must leave the work of ${from} to a backend`),
  );
}
