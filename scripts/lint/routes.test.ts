import assert from "node:assert/strict";
import { join } from "node:path";
import { readPackages } from "./packages.ts";
import { findRouteViolations, readRoutes, routesFolder } from "./routes.ts";

const root = join(import.meta.dirname, "../..");
const packages = readPackages(root);
const routes = readRoutes(root);

describe("the rule that routes only parse and render", () => {
  it("holds for this repository", () => {
    assert.ok(routes.length > 20, `${routes.length} files were found`);
    assert.deepEqual(findRouteViolations(routes, packages), []);
  });

  const planted = (text: string): string[] =>
    findRouteViolations([...routes, { path: `${routesFolder}/planted.ts`, text }], packages);

  for (const [line, from] of [
    ['import { startContainer } from "@longshore/containers";', "@longshore/containers"],
    ['import { type Container, startContainer } from "@longshore/containers";', "@longshore/containers"],
    ['import {\n  openLog,\n} from "@longshore/logging";', "@longshore/logging"],
    ['import * as images from "@longshore/images";', "@longshore/images"],
    ['import "@longshore/volumes";', "@longshore/volumes"],
    ['import { FileArchiver } from "@longshore/archive";', "@longshore/archive"],
    ['import { systemInfo } from "../system/info.ts";', "../system/info.ts"],
    ['import { startDaemon } from "../daemon.ts";', "../daemon.ts"],
  ] as const) {
    it(`bites on ${JSON.stringify(line)}`, () => {
      assert.deepEqual(planted(line), [`${routesFolder}/planted.ts must leave the work of ${from} to a backend`]);
    });
  }

  for (const line of [
    'import type { Container } from "@longshore/containers";',
    'import { type Container, type Exec } from "@longshore/containers";',
    'import { Filters } from "@longshore/list-filters";',
    'import { NotFound } from "@longshore/errdefs";',
    'import { sendJson } from "../server/answer/send.ts";',
  ])
    it(`lets ${JSON.stringify(line)} be`, () => assert.deepEqual(planted(line), []));
});
