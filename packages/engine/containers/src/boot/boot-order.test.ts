import assert from "node:assert/strict";
import { type Candidate, dependencies } from "./boot-order.ts";

function service(name: string, dependsOn = "", more: Partial<Candidate> = {}): Candidate {
  const labels = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": name,
    "com.docker.compose.depends_on": dependsOn,
    ...more.labels,
  };
  return { id: `id-${name}`, name: `shop-${name}-1`, joins: [], ...more, labels };
}

function shown(all: Candidate[]): Record<string, string[]> {
  return Object.fromEntries(
    [...dependencies(all)].map(([id, list]) => [id, list.map(({ on, condition }) => `${on} ${condition}`)]),
  );
}

describe("order of starts at boot", () => {
  it("follows compose's labels within a project", () => {
    const other = service("db", "", { id: "other", labels: { "com.docker.compose.project": "blog" } });
    const run = service("db", "", { id: "run", labels: { "com.docker.compose.oneoff": "True" } });
    const second = service("db", "", { id: "id-db-2" });
    assert.deepEqual(
      shown([
        service("web", "db:service_healthy:false,job:service_completed_successfully:true,gone:service_started:true"),
        service("db"),
        second,
        service("job", "db:new_condition:false"),
        other,
        run,
      ])["id-web"],
      ["id-db service_healthy", "id-db-2 service_healthy", "id-job service_completed_successfully"],
    );
  });

  it("starts whose namespace is joined first", () => {
    assert.deepEqual(
      shown([
        { id: "a", name: "a", labels: {}, joins: ["b"] },
        { id: "b", name: "bb", labels: {}, joins: [] },
      ]),
      { b: [], a: ["b service_started"] },
    );
  });

  it("breaks circles, and only these", () => {
    const order = shown([
      service("a", "b:service_started:false"),
      service("b", "c:service_started:false"),
      service("c", "a:service_started:false"),
      service("d", "a:service_healthy:false,d:service_started:false"),
    ]);
    assert.deepEqual(order, {
      "id-c": [],
      "id-b": ["id-c service_started"],
      "id-a": ["id-b service_started"],
      "id-d": ["id-a service_healthy"],
    });
  });

  it("two containers without labels are no service of each other", () => {
    const plain = (id: string): Candidate => ({ id, name: id, labels: {}, joins: [] });
    assert.deepEqual(shown([plain("a"), plain("b")]), { a: [], b: [] });
  });
});
