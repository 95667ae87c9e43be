import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { silent } from "@longshore/logger";
import { type Json, mutations } from "@longshore/records/testing";
import type { PluginRelease, EndpointRecord, NetworkRecord, SandboxRecord } from "./record-types.ts";
import { Records } from "./records.ts";

const network: NetworkRecord = {
  id: "n",
  name: "net",
  created: "2026-01-01T00:00:00Z",
  driver: "bridge",
  scope: "local",
  enableIPv4: true,
  enableIPv6: true,
  ipam: {
    Driver: "default",
    Options: null,
    Config: [{ Subnet: "10.0.0.0/24", Gateway: "10.0.0.1", AuxiliaryAddresses: { a: "10.0.0.2" } }],
  },
  internal: false,
  attachable: false,
  ingress: false,
  configOnly: false,
  configFrom: "",
  options: { a: "b" },
  labels: { c: "d" },
  pools: [
    {
      id: "p",
      family: 4,
      addressSpace: "s",
      pool: "10.0.0.0/24",
      wanted: { pool: "", subPool: "" },
      gateway: "10.0.0.1/24",
      auxiliary: {},
    },
  ],
  subnets: [
    { subnet: "10.0.0.0/24", range: "10.0.0.0/24", gateway: "10.0.0.1", auxiliary: ["10.0.0.2"], router: "10.0.0.3" },
  ],
  userSubnets: ["10.0.0.0/24"],
  parent: { device: "eth0", ours: false },
  bridge: "br-x",
  ownsBridge: true,
  ownAddresses: ["10.0.0.1/24"],
};
const endpoint: EndpointRecord = {
  id: "e",
  networkId: "n",
  containerId: "c",
  ifname: "eth0",
  veth: "veth0",
  mac: "02:00:00:00:00:01",
  ipv4: "10.0.0.4",
  ipv6: "fd00::4",
  settings: { Aliases: ["a"], IPAMConfig: { IPv4Address: "10.0.0.4" }, GwPriority: 1 },
  bits: { 4: 24, 6: 64 },
  remote: {
    source: "v",
    gateways: { 4: "10.0.0.1", 6: "" },
    routes: [{ destination: "10.1.0.0/16", nextHop: "" }],
    noGateway: false,
  },
  service: true,
};
const sandbox: SandboxRecord = {
  id: "s",
  containerId: "c",
  containerName: "web",
  mode: "private",
  netnsPath: "/run/n",
  hostname: "h",
  domainname: "",
  containerDir: "/d",
  portRequest: { bindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, exposed: ["80/tcp"], publishAll: false },
  published: [{ proto: "tcp", hostIp: "0.0.0.0", hostPort: 8080, containerIp: "10.0.0.4", containerPort: 80 }],
  dns: { servers: ["1.1.1.1"], onHost: true, ndotsSet: true },
  resolver: { dns: [], dnsSearch: [], dnsOptions: [], written: "x" },
  links: [{ containerId: "d", ports: ["80/tcp"] }],
};
const release: PluginRelease = {
  id: 1,
  owner: "n",
  plugin: "p",
  method: "IpamDriver.ReleasePool",
  body: { PoolID: "x" },
};
const kinds = { networks: network, endpoints: endpoint, sandboxes: sandbox, debts: release };

describe("records of networks, read as hostile input", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "network-records-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it("come back as they were written", () => {
    const written = new Records(dir, silent);
    written.putNetwork(network);
    written.putEndpoint(endpoint);
    written.putSandbox(sandbox);
    written.putRelease(release);
    written.close();
    const read = new Records(dir, silent);
    assert.deepEqual(
      [
        [...read.networks.values()],
        [...read.endpoints.values()],
        [...read.sandboxes.values()],
        [...read.releases.values()],
      ],
      [[network], [endpoint], [sandbox], [release]],
    );
    assert.deepEqual(read.damage(), []);
    read.close();
  });

  for (const [table, whole] of Object.entries(kinds)) {
    it(`${table}: whatever stands in the place of any value, a row is read whole or set aside and reported`, () => {
      new Records(dir, silent).close();
      const db = new DatabaseSync(join(dir, "local.db"));
      const insert = db.prepare(`INSERT INTO ${table} (id, record) VALUES (?, ?)`);
      db.exec("BEGIN");
      let count = 0;
      for (const changed of mutations(whole as unknown as Json)) {
        const key = table === "debts" ? ++count : `k${++count}`;
        const own = table === "sandboxes" ? "containerId" : "id";
        // What is right keeps the row's key, so that the other members decide.
        const right =
          changed !== null &&
          typeof changed === "object" &&
          !Array.isArray(changed) &&
          changed[own] === (whole as unknown as Record<string, Json>)[own];
        insert.run(key, JSON.stringify(right ? { ...changed, [own]: key } : changed));
      }
      db.exec("COMMIT");
      db.close();
      const records = new Records(dir, silent);
      const aside = records.damage();
      const member = table === "debts" ? "releases" : (table as Exclude<keyof typeof kinds, "debts">);
      const loaded: ReadonlyMap<string | number, object> = records[member];
      assert.equal(loaded.size + aside.length, count);
      assert.ok(loaded.size > 20 && aside.length > 50, `${loaded.size} of ${count}`);
      records.close();
      const again = new Records(dir, silent);
      assert.deepEqual([again[member].size, again.damage()], [loaded.size, aside]);
      again.close();
    });
  }
});
