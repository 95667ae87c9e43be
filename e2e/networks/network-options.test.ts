import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { exec, must } from "../host/exec.ts";

describe("options of networks", () => {
  const [a, b, name] = ["e2e-opt-a", "e2e-opt-b", "e2e-opt"];
  const parent = `lsp${process.pid % 100_000}`;
  const remove = () => shared.docker(["network", "rm", a, b]);
  const run = (...options: string[]) => shared.docker(["run", "--rm", "--name", name, ...options]);
  const refusal = async (...args: string[]) =>
    (await shared.docker(args)).stderr
      .trim()
      .replace(/^docker: /, "")
      .replace(/\n\nRun 'docker [^]*$/, "")
      .replace("Error response from daemon: ", "");
  const create = (...options: string[]) => refusal("network", "create", ...options, b);

  afterEach(async () => {
    await shared.docker(["rm", "-f", name, `${name}-2`]);
    await remove();
    await exec("ip", ["link", "delete", parent]);
  });

  it("are read by Docker's names, and refused in its words", async () => {
    const bridge = "com.docker.network.bridge";
    assert.equal(
      await create("-o", `${bridge}.host_binding_ipv4=x`),
      `failed to parse ${bridge}.host_binding_ipv4 value: x (nil ip)`,
    );
    assert.equal(
      await create("-o", `${bridge}.inhibit_ipv4=x`),
      `failed to parse ${bridge}.inhibit_ipv4 value: x (strconv.ParseBool: parsing "x": invalid syntax)`,
    );
    assert.equal(await create("-o", `${bridge}.name=a/b`), "invalid argument");
    assert.equal(await create("-o", `${bridge}.name=sixteen-letters-`), "numerical result out of range");
    assert.equal(await create("-o", "com.docker.network.driver.mtu=10"), "invalid argument");
    assert.equal(await create("--ipam-driver", "null"), "ipv4 pool is empty");
    // Too small for IPv6, which is no reason to refuse it.
    await shared.ok([
      "network",
      "create",
      "-o",
      "com.docker.network.driver.mtu=1234",
      "-o",
      "com.docker.network.container_iface_prefix=net",
      a,
    ]);
    assert.match((await run("--network", a, "busybox", "ip", "link", "show", "net0")).stdout, /mtu 1234/);
  });

  it("give an endpoint its sysctls, its link's name and link-local addresses", async () => {
    await shared.ok(["network", "create", a]);
    const opt = (key: string, value: string) => [
      "--network",
      `name=${a},driver-opt=com.docker.network.endpoint.${key}=${value}`,
    ];
    const read = ["busybox", "cat", "/proc/sys/net/ipv4/conf/eth0/log_martians"];
    assert.equal((await run(...opt("sysctls", "net.ipv4.conf.IFNAME.log_martians=1"), ...read)).stdout, "1\n");
    assert.match(
      await refusal("run", "--rm", ...opt("sysctls", "net.ipv4.conf.eth0.forwarding=1"), ...read),
      /unrecognised network interface sysctl 'net.ipv4.conf.eth0.forwarding=1'; represent/,
    );
    assert.match(
      await refusal("run", "--rm", ...opt("sysctls", "net.ipv4.conf.IFNAME.nope=1"), ...read),
      /to sandbox: \/proc\/sys\/net\/ipv4\/conf\/eth0\/nope is not a sysctl file/,
    );
    assert.match(
      (await run(...opt("ifname", "front"), "busybox", "ip", "-4", "-o", "addr", "show", "front")).stdout,
      /inet /,
    );
    assert.match(
      await refusal("run", "--rm", ...opt("ifname", "lo"), ...read),
      /error renaming interface "veth[0-9a-f]{7}" to "lo": file exists/,
    );
    assert.match(
      (await run("--network", a, "--link-local-ip", "169.254.7.7", "busybox", "ip", "-o", "addr", "show", "eth0"))
        .stdout,
      /inet 169\.254\.7\.7\/16/,
    );
    assert.match(
      await refusal("run", "--rm", "--network", `name=${a},link-local-ip=9.9.9.9`, ...read),
      /invalid link local IP address: 9\.9\.9\.9/,
    );
    assert.match(
      await refusal("run", "--rm", "--ip", "10.1.1.1", ...read),
      /\* user specified IP address is supported on user defined networks only\n\* no configured subnet or ip-range contain the IP address 10\.1\.1\.1/,
    );
  });

  it("come from a configuration network, which has no containers and outlives a prune", async () => {
    await shared.ok([
      "network",
      "create",
      "--config-only",
      "--subnet",
      "10.214.63.0/24",
      "--label",
      "e2e-opt=x",
      "-o",
      "com.docker.network.driver.mtu=1300",
      a,
    ]);
    assert.match(
      await refusal("run", "--rm", "--network", a, "busybox", "true"),
      /cannot create endpoint on configuration-only network/,
    );
    assert.equal(
      await create("--config-from", a, "--label", "y"),
      "user specified configurations are not supported if the network depends on a configuration network",
    );
    assert.equal(
      await create("--config-from", a, "-o", "x=y"),
      "network driver options are not supported if the network depends on a configuration network",
    );
    assert.equal(
      await create("--config-from", a, "--config-only"),
      "a configuration network cannot depend on another configuration network",
    );
    assert.match(
      await create("--config-only", "--internal"),
      /configuration network can only contain network specific fields/,
    );
    await shared.ok(["network", "create", "--config-from", a, b]);
    assert.match(
      await shared.ok(["network", "inspect", b, "--format", "{{json .}}"]),
      /"Subnet":"10\.214\.63\.0\/24".*"ConfigFrom":\{"Network":"e2e-opt-a"\}.*"Options":\{"com\.docker\.network\.driver\.mtu":"1300"\},"Labels":\{"e2e-opt":"x"\}/,
    );
    assert.match(
      await refusal("network", "rm", a),
      /error while removing network: configuration network "e2e-opt-a" is in use/,
    );
    assert.match(
      (await shared.docker(["network", "prune", "-f", "--filter", "label=e2e-opt"])).stdout,
      new RegExp(`^Deleted Networks:\n${b}\\s*$`),
    );
  });

  it("join none only alone, and bring the mode's own network's absence to words", async () => {
    await shared.ok(["network", "create", a]);
    await shared.ok(["run", "-d", "--name", name, "--network", a, "busybox", "sleep", "100"]);
    await shared.ok(["network", "disconnect", a, name]);
    await shared.ok(["network", "connect", "none", name]);
    assert.match(
      await refusal("network", "connect", a, name),
      /multiple networks with one of the networks in private \(none\) mode/,
    );
    await shared.ok(["stop", "-t", "0", name]);
    await shared.ok(["network", "rm", a]);
    assert.match(
      await refusal("start", name),
      new RegExp(`could not find a network matching network mode ${a}: network ${a} not found`),
    );
  });

  it("macvlan networks lie on a device of the host, of several subnets, with names", async () => {
    await must("ip", ["link", "add", parent, "type", "bridge"]);
    await must("ip", ["link", "set", parent, "up"]);
    await shared.ok([
      "network",
      "create",
      "-d",
      "macvlan",
      "-o",
      `parent=${parent}`,
      "--subnet",
      "10.214.64.0/24",
      "--subnet",
      "10.214.65.0/24",
      "--gateway",
      "10.214.65.9",
      a,
    ]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "--network",
      a,
      "--ip",
      "10.214.65.7",
      "--mac-address",
      "02:42:aa:bb:cc:dd",
      "busybox",
      "sh",
      "-c",
      "while :; do echo answered | nc -l -p 80; done",
    ]);
    assert.match(await shared.ok(["exec", name, "ip", "route"]), /^default via 10\.214\.65\.9 dev eth0/);
    assert.match(
      await shared.ok(["network", "inspect", a, "--format", "{{json .Containers}}"]),
      /"MacAddress":"02:42:aa:bb:cc:dd","IPv4Address":"10\.214\.65\.7\/24"/,
    );
    assert.equal(
      (
        await shared.docker([
          "run",
          "--rm",
          "--network",
          a,
          "--ip",
          "10.214.65.8",
          "busybox",
          "nc",
          "-w",
          "2",
          "10.214.65.7",
          "80",
        ])
      ).stdout,
      "answered\n",
    );
    assert.match(
      await shared.ok(["run", "--rm", "--network", a, "busybox", "nslookup", name]),
      /Address: 10\.214\.65\.7/,
    );
    assert.match(
      await create("-d", "macvlan", "-o", `parent=${parent}`, "-o", "macvlan_mode=passthru"),
      /^cannot use mode passthru, macvlan network [0-9a-f]{64} is already using parent interface lsp/,
    );
    await shared.ok(["network", "create", b]);
    await shared.ok(["network", "connect", b, name]);
    await shared.ok(["network", "disconnect", a, name]);
    assert.doesNotMatch(await shared.ok(["exec", name, "ip", "addr"]), /10\.214\.65\.7/);
    await shared.ok(["network", "connect", a, name]);
    await shared.ok(["rm", "-f", name]);
    await remove();
    assert.match(await must("ip", ["link", "show", parent]), new RegExp(parent));
  });

  it("macvlan and ipvlan refuse parents and modes that cannot be", async () => {
    assert.equal(
      await create("-d", "macvlan", "-o", "parent=nope"),
      "invalid subinterface vlan name nope, example formatting is eth0.10",
    );
    assert.equal(
      await create("-d", "ipvlan", "-o", "parent=nope.7"),
      "-o parent interface was not found on the host: nope",
    );
    assert.equal(
      await create("-d", "macvlan", "-o", "parent=lo.x"),
      "unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)",
    );
    assert.equal(
      await create("-d", "macvlan", "-o", "parent=lo.4095"),
      "vlan id must be between 1-4094, received: 4095",
    );
    assert.equal(
      await create("-d", "ipvlan", "-o", "parent=lo"),
      "loopback interface is not a valid ipvlan parent link",
    );
    assert.equal(
      await create("-d", "macvlan", "-o", "macvlan_mode=x"),
      "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default",
    );
    assert.equal(
      await create("-d", "ipvlan", "-o", "ipvlan_mode=l9"),
      "requested ipvlan mode 'l9' is not valid, 'l2' mode is the ipvlan driver default",
    );
    assert.equal(
      await create("-d", "ipvlan", "-o", "ipvlan_flag=x"),
      "requested ipvlan flag 'x' is not valid, 'bridge' is the ipvlan driver default",
    );
  });
});
