import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type BridgeRules, type PortRule, portCommands, renderTable } from "./table.ts";

const bridge = (device: string, subnet: string, more: Partial<BridgeRules> = {}): BridgeRules => ({ device, subnet, internal: false, icc: true, masquerade: true, trusted: [], gatewayMode: "nat", ...more });

const ports: PortRule[] = [
  { proto: "tcp", hostIp: undefined, hostPort: 8080, containerIp: "10.9.0.2", containerPort: 80 },
  { proto: "udp", hostIp: "192.0.2.2", hostPort: 53, containerIp: "10.9.0.2", containerPort: 53 },
];

describe("firewall tables", () => {
  const text = renderTable(4, "lstest", {
    bridges: [bridge("br0", "10.9.0.0/24"), bridge("br1", "10.8.0.0/24", { internal: true, icc: false }), bridge("br2", "10.7.0.0/24", { gatewayMode: "routed" })],
    ports,
    open: [{ proto: "tcp", containerIp: "10.7.0.2", containerPort: 80 }],
  });

  it("name the bridges where their options put them", () => {
    const has = (line: string) => assert.ok(text.includes(line), `${line} in\n${text}`);
    has('set bridges { type ifname; elements = { "br0", "br1", "br2" }; }');
    has('set internal { type ifname; elements = { "br1" }; }');
    has('set within { type ifname . ifname; elements = { "br0" . "br0", "br2" . "br2" }; }');
    has("set masqueraded { type ipv4_addr; flags interval; elements = { 10.9.0.0/24 }; }");
    has("elements = { tcp . 8080 : 10.9.0.2 . 80 }; }");
    has("elements = { 192.0.2.2 . udp . 53 : 10.9.0.2 . 53 }; }");
    has('ip daddr 10.9.0.0/24 iifname != { "lo", "br0" } drop');
    assert.ok(!text.includes("ip daddr 10.7.0.0/24 iifname"), "routed networks may be reached");
  });

  it("change by elements", () => {
    assert.deepEqual(portCommands("add", 4, "lstest", ports.slice(0, 1)), [
      "add element ip lstest published { tcp . 8080 : 10.9.0.2 . 80 }",
      "add element ip lstest own { 10.9.0.2 . tcp . 8080 }",
    ]);
    assert.equal(portCommands("delete", 4, "lstest", ports)[2], "delete element ip lstest published_at { 192.0.2.2 . udp . 53 }");
  });

  it("are what nft takes, for both families", function () {
    if (process.getuid?.() !== 0) this.skip();
    const six = renderTable(6, "lstest", {
      bridges: [bridge("br0", "fd01::/64")],
      ports: [{ proto: "tcp", hostIp: undefined, hostPort: 80, containerIp: "fd01::2", containerPort: 80 }],
      open: [],
    });
    for (const input of [text, six]) {
      const { status, stderr } = spawnSync("nft", ["-c", "-f", "-"], { input });
      assert.equal(status, 0, String(stderr));
    }
  });
});
