import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { PublishedPort } from "@longshore/proxy-api";
import { type BridgeRules, portCommands, renderTable, type TableOptions } from "./table.ts";

const bridge = (device: string, subnet: string, more: Partial<BridgeRules> = {}): BridgeRules => ({
  device,
  subnet,
  internal: false,
  icc: true,
  masquerade: true,
  trusted: [],
  gatewayMode: "nat",
  ...more,
});

const ports: PublishedPort[] = [
  { proto: "tcp", hostIp: "0.0.0.0", hostPort: 8080, containerIp: "10.9.0.2", containerPort: 80 },
  { proto: "udp", hostIp: "192.0.2.2", hostPort: 53, containerIp: "10.9.0.2", containerPort: 53 },
  { proto: "sctp", hostIp: "0.0.0.0", hostPort: 0, containerIp: "10.7.0.2", containerPort: 132 },
  { proto: "tcp", hostIp: "127.0.0.1", hostPort: 90, containerIp: "10.9.0.2", containerPort: 90 },
];

describe("firewall tables", () => {
  const bridges = [
    bridge("br0", "10.9.0.0/24"),
    bridge("br1", "10.8.0.0/24", { internal: true, icc: false }),
    bridge("br2", "10.7.0.0/24", { gatewayMode: "routed" }),
  ];
  const links = [{ from: "10.8.0.3", containerIp: "10.8.0.2", proto: "sctp" as const, containerPort: 132 }];
  const render = (options: TableOptions) => renderTable(4, "lstest", { bridges, ports, links }, options);
  const plain: TableOptions = { userlandProxy: true, allowDirectRouting: false };
  const text = render(plain);

  it("name the bridges where their options put them", () => {
    const has = (line: string) => assert.ok(text.includes(line), `${line} in\n${text}`);
    has('set bridges { type ifname; elements = { "br0", "br1", "br2" }; }');
    has('set internal { type ifname; elements = { "br1" }; }');
    has('set within { type ifname . ifname; elements = { "br0" . "br0", "br2" . "br2" }; }');
    has("set masqueraded { type ipv4_addr; flags interval; elements = { 10.9.0.0/24 }; }");
    has("elements = { tcp . 8080 : 10.9.0.2 . 80 }; }");
    has("elements = { 192.0.2.2 . udp . 53 : 10.9.0.2 . 53 }; }");
    has("set loopback { type ipv4_addr . inet_proto . inet_service; elements = { 127.0.0.1 . tcp . 90 }; }");
    has("elements = { 10.9.0.2 . tcp . 80, 10.9.0.2 . udp . 53, 10.7.0.2 . sctp . 132, 10.9.0.2 . tcp . 90 }; }");
    has("elements = { 10.8.0.3 . 10.8.0.2 . sctp . 132 }; }");
    has('ip daddr 10.9.0.0/24 iifname != { "lo", "br0" } fib daddr type != local drop');
    assert.ok(!text.includes("ip daddr 10.7.0.0/24 iifname"), "routed networks may be reached");
  });

  it("change by elements", () => {
    assert.deepEqual(portCommands("add", 4, "lstest", ports.slice(0, 1), plain), [
      "add element ip lstest open { 10.9.0.2 . tcp . 80 }",
      "add element ip lstest published { tcp . 8080 : 10.9.0.2 . 80 }",
      "add element ip lstest own { 10.9.0.2 . tcp . 8080 }",
    ]);
    assert.equal(
      portCommands("delete", 4, "lstest", ports, plain)[4],
      "delete element ip lstest published_at { 192.0.2.2 . udp . 53 }",
    );
  });

  it("are what nft takes, for both families", function () {
    if (process.getuid?.() !== 0) this.skip();
    const port = { proto: "tcp" as const, hostPort: 80, containerIp: "fd01::2", containerPort: 80 };
    const six = {
      bridges: [bridge("br0", "fd01::/64", { icc: false })],
      ports: [
        { ...port, hostIp: "::" },
        { ...port, hostIp: "::1" },
      ],
      links: [],
    };
    const without: TableOptions = { userlandProxy: false, allowDirectRouting: true };
    for (const input of [
      text,
      render(without),
      renderTable(6, "lstest", six, plain),
      renderTable(6, "lstest", six, without),
    ]) {
      const { status, stderr } = spawnSync("nft", ["-c", "-f", "-"], { input });
      assert.equal(status, 0, String(stderr));
    }
  });
});
