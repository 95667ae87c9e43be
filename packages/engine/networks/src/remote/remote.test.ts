import assert from "node:assert/strict";
import type { EndpointRecord } from "../records/records.ts";
import { readJoin, withDriversChoice } from "./join-answer.ts";
import { portOptions } from "./port-options.ts";

describe("what network drivers hear and answer", () => {
  it("ports, the highest first, with ranges and those that any port will do for", () => {
    const bindings = {
      "80/tcp": [
        { HostIp: "", HostPort: "8080-8090" },
        { HostIp: "127.0.0.1", HostPort: "81" },
      ],
      "90/udp": [],
    };
    assert.deepEqual(portOptions({ bindings, exposed: ["80/tcp", "70/sctp"], publishAll: true }), {
      "com.docker.network.endpoint.exposedports": [
        { Proto: 17, Port: 90 },
        { Proto: 6, Port: 80 },
        { Proto: 132, Port: 70 },
      ],
      "com.docker.network.portmap": [
        { Proto: 17, IP: "", Port: 90, HostIP: "", HostPort: 0, HostPortEnd: 0 },
        { Proto: 6, IP: "", Port: 80, HostIP: "", HostPort: 8080, HostPortEnd: 8090 },
        { Proto: 6, IP: "", Port: 80, HostIP: "127.0.0.1", HostPort: 81, HostPortEnd: 81 },
        { Proto: 132, IP: "", Port: 70, HostIP: "", HostPort: 0, HostPortEnd: 0 },
      ],
    });
  });

  const endpoint: EndpointRecord = {
    id: "e",
    networkId: "n",
    containerId: "c",
    ifname: "",
    veth: "",
    mac: "",
    ipv4: "",
    ipv6: "fd00::2",
    settings: {},
    bits: { 4: 0, 6: 64 },
  };

  it("addresses that the driver chooses, where nobody has chosen before", () => {
    const next = withDriversChoice(endpoint, { Address: "10.1.2.3/24", MacAddress: "02-AA-00-00-00-01" });
    assert.deepEqual(
      { ipv4: next.ipv4, mac: next.mac, bits: next.bits },
      { ipv4: "10.1.2.3", mac: "02:aa:00:00:00:01", bits: { 4: 24, 6: 64 } },
    );
    assert.throws(() => withDriversChoice(endpoint, { AddressIPv6: "fd00::3/64" }), {
      message:
        "driver modified interface address: endpoint interface IP present (fd00::2/64). Cannot be modified with (fd00::3/64).",
    });
    assert.throws(
      () => withDriversChoice(next, { MacAddress: "02:aa:00:00:00:02" }),
      /endpoint interface MAC address present \(02:aa:00:00:00:01\)/,
    );
    assert.throws(() => withDriversChoice(endpoint, { Address: "zzz" }), { message: "invalid CIDR address: zzz" });
    assert.throws(() => withDriversChoice(endpoint, { MacAddress: "02:aa-00:00:00:02" }), {
      message: "address 02:aa-00:00:00:02: invalid MAC address",
    });
  });

  it("joins", () => {
    assert.deepEqual(readJoin({}), { source: "", gateways: { 4: "", 6: "" }, routes: [], noGateway: false });
    const full = {
      InterfaceName: { SrcName: "v0", DstPrefix: "eth" },
      Gateway: "10.0.0.1",
      GatewayIPv6: "fd00:0::1",
      StaticRoutes: [
        { Destination: "10.9.8.7/16", NextHop: "10.0.0.2" },
        { Destination: "::/0", RouteType: 1 },
      ],
      DisableGatewayService: true,
    };
    const routes = [
      { destination: "10.9.0.0/16", nextHop: "10.0.0.2" },
      { destination: "::/0", nextHop: "" },
    ];
    assert.deepEqual(readJoin(full), {
      source: "v0",
      gateways: { 4: "10.0.0.1", 6: "fd00::1" },
      routes,
      noGateway: true,
    });
    assert.throws(() => readJoin({ StaticRoutes: [{ Destination: "10.0.0.0/8", NextHop: "zzz" }] }), {
      message: "failed to parse nexthop IP zzz",
    });
  });
});
