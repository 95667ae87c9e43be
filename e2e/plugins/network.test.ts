import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { exec } from "../host/exec.ts";
import { until } from "../host/until.ts";
import { AddressDriver } from "./address-driver.ts";
import { BridgeDriver } from "./bridge-driver.ts";
import { type Method, TestPlugin } from "./plugin.ts";

/** What the real engine, 28.5.2, says to its plugins in the same situations was recorded; ids and names are put in here. */
describe("network and IPAM driver plugins", () => {
  const driver = new BridgeDriver();
  const addresses = new AddressDriver(93);
  const plugin = new TestPlugin("net", ["NetworkDriver", "IpamDriver"], { ...driver.methods, ...addresses.methods });
  const network = "e2e-plugin-net";
  const container = "e2e-plugin-net-user";
  const other = "e2e-plugin-net-other";
  const methodOf = (name: string): Method => plugin.methods[name] ?? assert.fail(name);
  const create = (...args: string[]): Promise<string> =>
    shared.ok(["network", "create", "-d", plugin.name, ...args, network]);
  const run = (...args: string[]): Promise<string> => shared.ok(["run", "--rm", "--network", network, ...args]);
  /** What was asked since the last time, without what only looks. */
  const heard = (): [string, Record<string, unknown>][] =>
    plugin.calls
      .splice(0)
      .filter(({ method }) => !/GetCapabilities|EndpointOperInfo/.test(method))
      .map(({ method, body }) => [method.replace("Driver", ""), body]);
  const methods = (): string[] => heard().map(([method]) => method);
  const endpointOf = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(
      await shared.ok(["inspect", "-f", `{{json (index .NetworkSettings.Networks "${network}")}}`, name]),
    ) as Record<string, unknown>;
  const noPorts = { "com.docker.network.endpoint.exposedports": [], "com.docker.network.portmap": [] };
  const ended = ["Network.RevokeExternalConnectivity", "Network.Leave", "Network.DeleteEndpoint"];

  before(() => plugin.start());
  beforeEach(() => plugin.calls.splice(0));
  afterEach(async () => {
    await shared.docker(["rm", "-f", container, other]);
    await shared.docker(["network", "rm", network]);
    await shared.docker(["network", "rm", "docker_gwbridge"]);
  });
  after(async () => {
    await plugin.stop();
    driver.clear();
  });

  it("carry packets of both families between containers that find each other by name", async () => {
    await create("--ipv6");
    await shared.ok([
      "run",
      "-d",
      "--name",
      other,
      "--network",
      network,
      "--network-alias",
      "shop",
      "busybox",
      "sh",
      "-c",
      "mkdir /www; echo goods > /www/index.html; httpd -f -h /www",
    ]);
    await until(
      "the server",
      async () => (await shared.docker(["exec", other, "wget", "-qO-", "http://127.0.0.1"])).code === 0,
    );
    assert.equal(await run("busybox", "wget", "-qO-", "http://shop"), "goods");
    await run("busybox", "ping", "-c1", "-W5", other);
    await run("busybox", "ping6", "-c1", "-W5", String((await endpointOf(other))["GlobalIPv6Address"]));
  });

  it("hear of a network and an endpoint what dockerd tells them, and of their end", async () => {
    const id = await create("-o", "a=b", "--ipam-driver", plugin.name, "--ipam-opt", "c=d");
    const [space, again, pool, gateway, made, ...more] = heard();
    assert.deepEqual(
      [space, again],
      [
        ["Ipam.GetDefaultAddressSpaces", {}],
        ["Ipam.GetDefaultAddressSpaces", {}],
      ],
    );
    assert.deepEqual(pool, [
      "Ipam.RequestPool",
      { AddressSpace: "here", Pool: "", SubPool: "", Options: { c: "d" }, V6: false },
    ]);
    const [poolId = ""] = addresses.held;
    assert.deepEqual(gateway, [
      "Ipam.RequestAddress",
      { PoolID: poolId, Address: "", Options: { RequestAddressType: "com.docker.network.gateway" } },
    ]);
    const [{ Subnet, Gateway }] = JSON.parse(
      await shared.ok(["network", "inspect", "-f", "{{json .IPAM.Config}}", network]),
    ) as [{ Subnet: string; Gateway: string }];
    const Options = {
      "com.docker.network.enable_ipv4": true,
      "com.docker.network.enable_ipv6": false,
      "com.docker.network.generic": { a: "b" },
    };
    assert.deepEqual(made, [
      "Network.CreateNetwork",
      {
        NetworkID: id,
        Options,
        IPv4Data: [{ AddressSpace: "here", Pool: Subnet, Gateway: `${Gateway}/24` }],
        IPv6Data: [],
      },
    ]);
    assert.deepEqual(more, []);

    await shared.ok([
      "run",
      "-d",
      "--name",
      container,
      "--network",
      network,
      "-p",
      "127.0.0.1:0:80",
      "busybox",
      "sleep",
      "1000",
    ]);
    const { EndpointID, IPAddress, MacAddress } = await endpointOf(container);
    const ids = { NetworkID: id, EndpointID };
    const key = await shared.ok(["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", container]);
    const ports = {
      "com.docker.network.endpoint.exposedports": [{ Proto: 6, Port: 80 }],
      "com.docker.network.portmap": [{ Proto: 6, IP: "", Port: 80, HostIP: "127.0.0.1", HostPort: 0, HostPortEnd: 0 }],
    };
    assert.deepEqual(heard(), [
      ["Ipam.RequestAddress", { PoolID: poolId, Address: "", Options: null }],
      [
        "Network.CreateEndpoint",
        { ...ids, Interface: { Address: `${String(IPAddress)}/24`, AddressIPv6: "", MacAddress: "" }, Options: ports },
      ],
      ["Network.Join", { ...ids, SandboxKey: key, Options: ports }],
      [
        "Network.ProgramExternalConnectivity",
        { ...ids, Options: { ...ports, "com.docker.network.driver.private.no_proxy_6to4": false } },
      ],
    ]);
    assert.match(
      await shared.ok(["exec", container, "ip", "addr", "show", "eth0"]),
      new RegExp(`link/ether ${String(MacAddress)}[^]*inet ${String(IPAddress)}/24`),
    );
    assert.match(await shared.ok(["exec", container, "ip", "route"]), new RegExp(`^default via ${Gateway} dev eth0`));
    assert.match(
      (await shared.docker(["network", "rm", network])).stderr,
      new RegExp(
        `network ${network} has active endpoints \\(name:"${container}" id:"${String(EndpointID).slice(0, 12)}"\\)`,
      ),
    );
    assert.match(await shared.ok(["info", "-f", "{{.Plugins.Network}}"]), new RegExp(`\\b${plugin.name}\\b`));

    await shared.ok(["rm", "-f", container]);
    assert.deepEqual(heard(), [
      ...ended.map((method) => [method, ids]),
      ["Ipam.ReleaseAddress", { PoolID: poolId, Address: IPAddress }],
    ]);
    await shared.ok(["network", "rm", network]);
    assert.deepEqual(heard(), [
      ["Ipam.ReleaseAddress", { PoolID: poolId, Address: Gateway }],
      ["Ipam.ReleasePool", { PoolID: poolId }],
      ["Network.DeleteNetwork", { NetworkID: id }],
    ]);
    assert.equal(addresses.held.size, 0);
  });

  it("all options of a network reach the driver", async () => {
    const id = await create(
      "--internal",
      "--ipv6",
      "--subnet",
      "10.94.1.0/24",
      "--subnet",
      "10.94.2.0/24",
      "--subnet",
      "fd00:94::/64",
      "--aux-address",
      "host=10.94.1.9",
      "-o",
      "com.docker.network.driver.mtu=1400",
    );
    const Options = {
      "com.docker.network.enable_ipv4": true,
      "com.docker.network.enable_ipv6": true,
      "com.docker.network.generic": { "com.docker.network.driver.mtu": "1400" },
      "com.docker.network.internal": true,
    };
    const [made] = heard();
    assert.ok(made);
    // The client gives several subnets in any order.
    (made[1]["IPv4Data"] as { Pool: string }[]).sort((a, b) => (a.Pool < b.Pool ? -1 : 1));
    assert.deepEqual(made, [
      "Network.CreateNetwork",
      {
        NetworkID: id,
        Options,
        IPv4Data: [
          {
            AddressSpace: "LocalDefault",
            Pool: "10.94.1.0/24",
            Gateway: "10.94.1.1/24",
            AuxAddresses: { host: "10.94.1.9/24" },
          },
          { AddressSpace: "LocalDefault", Pool: "10.94.2.0/24", Gateway: "10.94.2.1/24" },
        ],
        IPv6Data: [{ AddressSpace: "LocalDefault", Pool: "fd00:94::/64", Gateway: "fd00:94::1/64" }],
      },
    ]);
    await run("--ip", "10.94.2.7", "--mac-address", "02:94:00:00:00:07", "busybox", "true");
    const [, { Interface, Options: endpoint }] =
      heard().find(([method]) => method === "Network.CreateEndpoint") ?? assert.fail("no endpoint");
    assert.deepEqual(Interface, {
      Address: "10.94.2.7/24",
      AddressIPv6: "fd00:94::2/64",
      MacAddress: "02:94:00:00:00:07",
    });
    assert.deepEqual(endpoint, { "com.docker.network.endpoint.macaddress": "ApQAAAAH" });
  });

  it("containers join and leave while they run", async () => {
    await create("--subnet", "10.94.3.0/24");
    await shared.ok(["run", "-d", "--name", container, "busybox", "sleep", "1000"]);
    plugin.calls.splice(0);
    await shared.ok([
      "network",
      "connect",
      "--ip",
      "10.94.3.44",
      "--driver-opt",
      "k=v",
      "--gw-priority",
      "10",
      network,
      container,
    ]);
    const calls = heard();
    assert.deepEqual(
      calls.map(([method]) => method),
      ["Network.CreateEndpoint", "Network.Join", "Network.ProgramExternalConnectivity"],
    );
    assert.deepEqual(calls[0]?.[1]["Options"], { ...noPorts, k: "v" });
    assert.match(await shared.ok(["exec", container, "ip", "route"]), /^default via 10\.94\.3\.1 dev eth1/);
    await shared.ok(["network", "disconnect", network, container]);
    assert.deepEqual(methods(), ended);
    assert.match(await shared.ok(["exec", container, "ip", "route"]), /^default via \S+ dev eth0 *\n(?!.*eth1)/);
  });

  it("the plugin's words reach the user, and what was begun is undone", async () => {
    const failed = "failed to set up container networking: ";
    const refuse = (Err: string) => () => ({ Err });
    const cases: { method: string; answer: () => unknown; message: RegExp; undone: string[] }[] = [
      {
        method: "NetworkDriver.CreateEndpoint",
        answer: refuse("no way"),
        message: new RegExp(`${failed}failed to create endpoint ${container} on network ${network}: remote: no way`),
        undone: ["Ipam.ReleaseAddress"],
      },
      {
        method: "NetworkDriver.CreateEndpoint",
        answer: () => ({ Interface: { Address: "10.1.1.1/8" } }),
        message:
          /driver modified interface address: endpoint interface IP present \(\S+\/24\)\. Cannot be modified with \(10\.1\.1\.1\/8\)\.; rolled back/,
        undone: ["Network.DeleteEndpoint", "Ipam.ReleaseAddress"],
      },
      {
        method: "NetworkDriver.Join",
        answer: refuse("no way"),
        message: new RegExp(`${failed}remote: no way`),
        undone: ["Network.DeleteEndpoint", "Ipam.ReleaseAddress"],
      },
      {
        method: "NetworkDriver.Join",
        answer: () => ({ Gateway: "zzz" }),
        message: /unable to parse Gateway "zzz"; rolled back/,
        undone: ["Network.Leave", "Network.DeleteEndpoint", "Ipam.ReleaseAddress"],
      },
      {
        method: "NetworkDriver.Join",
        answer: () => ({ InterfaceName: { SrcName: "nope0", DstPrefix: "eth" } }),
        message: /failed to add interface nope0 to sandbox: failed to get link by name "nope0": Link not found/,
        undone: ["Network.Leave", "Network.DeleteEndpoint", "Ipam.ReleaseAddress"],
      },
      {
        method: "NetworkDriver.ProgramExternalConnectivity",
        answer: refuse("no way"),
        message: new RegExp(
          `driver failed programming external connectivity on endpoint ${container} \\([0-9a-f]{64}\\): remote: no way`,
        ),
        undone: ["Network.Leave", "Network.DeleteEndpoint", "Ipam.ReleaseAddress"],
      },
      {
        method: "IpamDriver.RequestAddress",
        answer: () => ({ Error: "all gone" }),
        message: new RegExp(`${failed}remote: all gone`),
        undone: [],
      },
      {
        method: "IpamDriver.RequestAddress",
        answer: () => ({}),
        message: new RegExp(`${failed}no address returned`),
        undone: [],
      },
    ];
    await create("--ipam-driver", plugin.name);
    for (const { method, answer, message, undone } of cases) {
      plugin.calls.splice(0);
      await plugin.during({ [method]: answer }, async () =>
        assert.match(
          (await shared.docker(["run", "--rm", "--name", container, "--network", network, "busybox", "true"])).stderr,
          message,
        ),
      );
      assert.deepEqual(
        methods().filter((name) => /Revoke|Leave|Delete|Release/.test(name)),
        undone,
        `${method} ${String(message)}`,
      );
    }
    await shared.ok(["network", "rm", network]);
    assert.equal(addresses.held.size, 0);
    const creations: [string, () => unknown, RegExp][] = [
      ["NetworkDriver.CreateNetwork", refuse("no room"), /: remote: no room/],
      [
        "IpamDriver.GetDefaultAddressSpaces",
        () => ({ Error: "no way" }),
        /: failed to get default address space: remote: no way/,
      ],
      ["IpamDriver.RequestPool", () => ({ Error: "no pool" }), /: remote: no pool/],
      [
        "IpamDriver.RequestAddress",
        () => ({ Error: "no address" }),
        /: failed to allocate gateway \(\): remote: no address/,
      ],
    ];
    for (const [method, answer, message] of creations) {
      await plugin.during({ [method]: answer }, async () =>
        assert.match(
          (await shared.docker(["network", "create", "-d", plugin.name, "--ipam-driver", plugin.name, network])).stderr,
          message,
        ),
      );
      assert.equal(addresses.held.size, 0, method);
    }
    assert.match(
      (await shared.docker(["network", "create", "-d", "no-such-plugin", network])).stderr,
      /plugin "no-such-plugin" not found/,
    );
    assert.match(
      (await shared.docker(["network", "create", "--ipam-driver", "no-such-plugin", network])).stderr,
      /plugin "no-such-plugin" not found/,
    );
    assert.equal(await shared.ok(["network", "ls", "-q", "--filter", `name=${network}`]), "");
  });

  it("an IPAM plugin serves the engine's own bridges, too", async () => {
    const mac = "IpamDriver.GetCapabilities";
    const ipam = new TestPlugin("ipam", ["IpamDriver"], {
      ...new AddressDriver(95).methods,
      [mac]: () => ({ RequiresMACAddress: true, RequiresRequestReplay: true }),
    });
    await ipam.start();
    try {
      await shared.ok([
        "network",
        "create",
        "--ipam-driver",
        ipam.name,
        "--subnet",
        "10.94.5.0/24",
        "--ip-range",
        "10.94.5.128/25",
        "--gateway",
        "10.94.5.200",
        "--aux-address",
        "z=10.94.5.201",
        network,
      ]);
      assert.deepEqual(
        ipam.calls
          .splice(0)
          .slice(-3)
          .map(({ body }) => body),
        [
          { AddressSpace: "here", Pool: "10.94.5.0/24", SubPool: "10.94.5.128/25", Options: {}, V6: false },
          { PoolID: "pool1", Address: "10.94.5.200", Options: { RequestAddressType: "com.docker.network.gateway" } },
          { PoolID: "pool1", Address: "10.94.5.201", Options: null },
        ],
      );
      const shown = await run(
        "--ip",
        "10.94.5.222",
        "busybox",
        "sh",
        "-c",
        "cat /sys/class/net/eth0/address; ip addr show eth0; ip route; ping -c1 -W5 10.94.5.200",
      );
      assert.match(shown, /inet 10\.94\.5\.222\/24[^]*default via 10\.94\.5\.200/);
      assert.deepEqual(ipam.asked("IpamDriver.RequestAddress"), [
        {
          PoolID: "pool1",
          Address: "10.94.5.222",
          Options: { "com.docker.network.endpoint.macaddress": shown.split("\n")[0] },
        },
      ]);
      await until("the address comes back", () => ipam.asked("IpamDriver.ReleaseAddress").length === 1);
      await shared.ok([
        "run",
        "-d",
        "--name",
        container,
        "--network",
        network,
        "--ip",
        "10.94.5.223",
        "busybox",
        "sleep",
        "1000",
      ]);
      await shared.engine.kill();
      ipam.calls.splice(0);
      await shared.engine.start();
      await until("it is asked for the same again", () => ipam.asked("IpamDriver.RequestAddress").length === 3);
      assert.deepEqual(
        ipam.asked("IpamDriver.RequestPool").map(({ Pool, SubPool }) => [Pool, SubPool]),
        [["10.94.5.0/24", "10.94.5.128/25"]],
      );
      assert.deepEqual(
        ipam.asked("IpamDriver.RequestAddress").map(({ PoolID, Address }) => [PoolID, Address]),
        [
          ["pool2", "10.94.5.200"],
          ["pool2", "10.94.5.201"],
          ["pool2", "10.94.5.223"],
        ],
      );
      await until("the new pool is the network's", async () => {
        await shared.docker(["rm", "-f", container]);
        await shared.docker(["network", "rm", network]);
        return ipam.asked("IpamDriver.ReleasePool").some(({ PoolID }) => PoolID === "pool2");
      });
    } finally {
      await shared.docker(["rm", "-f", container]);
      await shared.docker(["network", "rm", network]);
      await ipam.stop();
    }
  });

  it("a driver chooses addresses, routes and the links' names itself", async () => {
    await create("--ipam-driver", "null");
    const make = methodOf("NetworkDriver.CreateEndpoint");
    const join = methodOf("NetworkDriver.Join");
    const answers = {
      "NetworkDriver.CreateEndpoint": (...args: Parameters<Method>) => {
        make(...args);
        return { Interface: { Address: "10.94.6.7/24", MacAddress: "02:94:06:00:00:07" } };
      },
      "NetworkDriver.Join": (...args: Parameters<Method>) => ({
        InterfaceName: { ...(join(...args) as { InterfaceName: object }).InterfaceName, DstPrefix: "way" },
        Gateway: "10.94.6.1",
        StaticRoutes: [
          { Destination: "10.66.0.0/16", RouteType: 0, NextHop: "10.94.6.44" },
          { Destination: "10.67.0.0/16", RouteType: 1 },
        ],
      }),
    };
    await plugin.during(answers, async () => {
      const shown = await run("busybox", "sh", "-c", "cat /sys/class/net/way0/address; ip route");
      assert.match(
        shown,
        /^02:94:06:00:00:07\ndefault via 10\.94\.6\.1 dev way0 *\n10\.66\.0\.0\/16 via 10\.94\.6\.44 dev way0 *\n10\.67\.0\.0\/16 dev way0 /,
      );
    });
  });

  it("a container without a way out of its own leaves by docker_gwbridge", async () => {
    await create();
    const join = methodOf("NetworkDriver.Join");
    await plugin.during(
      { "NetworkDriver.Join": (...args) => ({ ...(join(...args) as object), Gateway: "" }) },
      async () => {
        await shared.ok([
          "run",
          "-d",
          "--name",
          container,
          "--network",
          network,
          "-p",
          "127.0.0.1:0:80",
          "busybox",
          "sh",
          "-c",
          "mkdir /www; echo goods > /www/index.html; httpd -f -h /www",
        ]);
      },
    );
    assert.match(await shared.ok(["exec", container, "ip", "route"]), /^default via \S+ dev eth1/);
    assert.deepEqual(
      Object.keys(
        JSON.parse(await shared.ok(["inspect", "-f", "{{json .NetworkSettings.Networks}}", container])) as object,
      ),
      [network],
    );
    const key = await shared.ok(["inspect", "-f", "{{.NetworkSettings.SandboxKey}}", container]);
    assert.equal(
      await shared.ok(["network", "inspect", "-f", "{{range .Containers}}{{.Name}}{{end}}", "docker_gwbridge"]),
      `gateway_${key.split("/").at(-1)}`,
    );
    const address = await shared.ok(["port", container, "80/tcp"]);
    await until(
      "the published port",
      async () => (await exec("curl", ["-sf", `http://${address}`])).stdout === "goods\n",
    );
    await shared.ok(["network", "connect", "bridge", container]);
    assert.match(await shared.ok(["exec", container, "ip", "route"]), /^default via \S+ dev eth2 *\n(?!.*eth1)/);
    await shared.ok(["network", "disconnect", "bridge", container]);
    assert.match(await shared.ok(["exec", container, "ip", "route"]), /^default via \S+ dev eth1/);
  });

  it("a plugin that is away holds nobody up, and hears later what has ended", async () => {
    const id = await create("--ipam-driver", plugin.name);
    await shared.ok(["run", "-d", "--name", container, "--network", network, "busybox", "sleep", "1000"]);
    await plugin.stop();
    plugin.calls.splice(0);
    const began = performance.now();
    await shared.ok(["rm", "-f", container]);
    await shared.ok(["network", "rm", network]);
    assert.ok(performance.now() - began < 5000);
    await plugin.start();
    await until("the plugin hears of the end", () =>
      plugin.asked("NetworkDriver.DeleteNetwork").some(({ NetworkID }) => NetworkID === id),
    );
    assert.deepEqual(methods(), [
      ...ended,
      "Ipam.ReleaseAddress",
      "Ipam.ReleaseAddress",
      "Ipam.ReleasePool",
      "Network.DeleteNetwork",
    ]);
    assert.equal(addresses.held.size, 0);
  });

  it("a killed engine leaves nothing behind at a plugin, wherever it was", async () => {
    const steps = [
      "NetworkDriver.CreateNetwork",
      "NetworkDriver.CreateEndpoint",
      "NetworkDriver.Join",
      "NetworkDriver.DeleteEndpoint",
    ];
    for (const step of steps) {
      const real = methodOf(step);
      let reached = false;
      if (step !== "NetworkDriver.CreateNetwork") await create("--ipam-driver", plugin.name);
      const halted = {
        [step]: (...args: Parameters<Method>) => {
          // What it is asked it has done, but nobody hears so.
          real(...args);
          reached = true;
          return undefined;
        },
      };
      await plugin.during(halted, async () => {
        const command =
          step === "NetworkDriver.CreateNetwork"
            ? shared.docker(["network", "create", "-d", plugin.name, "--ipam-driver", plugin.name, network])
            : shared.docker(["run", "--rm", "--name", container, "--network", network, "busybox", "true"]);
        await until(`${step} is called`, () => reached);
        await shared.engine.kill();
        await command;
      });
      await shared.engine.start();
      await until(`${step}: everything is given back`, async () => {
        await shared.docker(["rm", "-f", container]);
        await shared.docker(["network", "rm", network]);
        return addresses.held.size === 0 && driver.left().length === 0;
      });
    }
  });

  it("a running container keeps its network when the engine is killed", async () => {
    await create();
    await shared.ok(["run", "-d", "--name", other, "--network", network, "busybox", "sleep", "1000"]);
    plugin.calls.splice(0);
    await shared.engine.kill();
    await shared.engine.start();
    await run("busybox", "ping", "-c1", "-W5", other);
    assert.ok(!methods().slice(3).includes("Network.CreateNetwork"));
    await shared.ok(["rm", "-f", other]);
    assert.deepEqual(methods(), ended);
  });
});
