import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AF, createNetns, removeNetns, SOCK, socketInNetns } from "@longshore/sys";
import { NetworkController, type NetworkControllerOptions } from "../controller.ts";
import type { Sandbox, SandboxRequest } from "../contract.ts";
import { echoIn, exchange, from } from "../endpoint/echo-in-netns.ts";
import { plainOptions } from "../testing/plain-options.ts";

const file = fileURLToPath(import.meta.url);
const inside = process.env["LONGSHORE_TEST_NETNS"] === "1";
const sh = (script: string) => execFileSync("sh", ["-ec", script], { stdio: ["ignore", "pipe", "pipe"] }).toString();

// The host's own firewall is other programs' business: all of this happens on a host of its own.
(inside ? describe.skip : describe)("the firewall on a host of its own", function () {
  if (process.getuid?.() !== 0) return;
  it("its tests pass", function () {
    this.timeout(100_000);
    // In /sys stand another namespace's devices, as they do for an engine that is started so.
    const script = 'ip link set lo up && exec "$@"';
    const mocha = [process.execPath, process.argv[1] ?? "", "--no-config", "--exit", "--timeout", "20000", file];
    const { status, stdout } = spawnSync("unshare", ["--net", "--mount", "sh", "-c", script, "sh", ...mocha], {
      env: { ...process.env, LONGSHORE_TEST_NETNS: "1" },
    });
    assert.equal(status, 0, String(stdout));
  });
});

(inside ? describe : describe.skip)("firewall", () => {
  let root = "";
  let controller: NetworkController;
  let outside = "";
  const examples = [
    ...readFileSync(join(file, "../../../../../../docs/firewall.md"), "utf8").matchAll(/^```sh\n(.*?)^```$/gms),
  ].map(([, code]) => code ?? "");

  const options = (): NetworkControllerOptions =>
    plainOptions(root, {
      bip: "10.9.0.1/24",
      defaultNetworkOpts: { bridge: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" } },
    });
  const request = (
    name: string,
    portBindings: SandboxRequest["portBindings"],
    networkMode = "bridge",
  ): SandboxRequest => {
    const containerDir = join(root, name);
    mkdirSync(containerDir, { recursive: true });
    const none = {
      endpoints: {},
      publishAllPorts: false,
      exposedPorts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
      domainname: "",
    };
    return {
      ...none,
      containerId: Buffer.from(name).toString("hex").padEnd(64, "0"),
      containerName: name,
      hostname: name,
      networkMode,
      portBindings,
      containerDir,
    };
  };
  const web = (hostPort = "8080"): Promise<Sandbox> =>
    controller.sandboxes.allocate(request("web", { "80/tcp": [{ HostIp: "", HostPort: hostPort }] }));
  /** Asks for the host's port from one of the addresses outside. */
  const ask = async (source: string): Promise<string> => {
    execFileSync("nsenter", [
      `--net=${outside}`,
      "ip",
      "route",
      "replace",
      "203.0.113.1",
      "dev",
      "eth0",
      "src",
      source,
    ]);
    try {
      return await exchange(from(outside, "203.0.113.1", 8080));
    } catch (error) {
      return (error as Error).message;
    }
  };

  before(() => {
    root = mkdtempSync(join(tmpdir(), "lsfw-"));
    outside = join(root, "outside");
    createNetns(outside);
    sh(`ip link add eth0 type veth peer name eth0 netns ${outside}
      ip address add 203.0.113.1/32 dev eth0; ip link set eth0 up
      ip route add 192.0.2.9 dev eth0; ip route add 198.51.100.9 dev eth0`);
    sh(
      `nsenter --net=${outside} sh -ec 'ip link set eth0 up; ip address add 192.0.2.9/32 dev eth0; ip address add 198.51.100.9/32 dev eth0; ip route add 203.0.113.1 dev eth0; echo 1 > /proc/sys/net/ipv4/tcp_syn_retries'`,
    );
  });
  beforeEach(async () => {
    sh("echo 0 > /proc/sys/net/ipv4/ip_forward; nft flush ruleset");
    controller = await NetworkController.open(options());
  });
  afterEach(async () => {
    await controller.sandboxes.restore(new Set());
    for (const { Name } of controller.networks.list())
      if (!["bridge", "host", "none"].includes(Name)) await controller.networks.remove(Name);
    await controller.close();
  });
  after(() => {
    removeNetns(outside);
    rmSync(root, { recursive: true });
  });

  it("forwards only for containers, where it has switched forwarding on", async () => {
    assert.equal(sh("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
    assert.match(
      sh("iptables -S"),
      /-P FORWARD DROP\n[^]*-A FORWARD .*-j DOCKER-USER\n-A FORWARD -j LONGSHORE\n[^]*-A LONGSHORE -o longshore0 -j ACCEPT/,
    );
    const { netnsPath } = await web();
    const server = await echoIn(netnsPath, "0.0.0.0", 80);
    assert.match(await ask("192.0.2.9"), /hello from .*192\.0\.2\.9/);
    assert.match(await ask("198.51.100.9"), /hello/);
    server.close();
  });

  for (const [index, example] of examples.entries()) {
    it(`lets the administrator drop what is forwarded to containers, example ${index + 1} of the documentation`, async () => {
      const { netnsPath } = await web();
      const server = await echoIn(netnsPath, "0.0.0.0", 80);
      sh(example);
      assert.match(await ask("198.51.100.9"), /TIMEDOUT|timed out/);
      assert.match(await ask("192.0.2.9"), /hello/);
      const rules = sh("nft -s list chain ip filter DOCKER-USER; nft list tables | sort");
      // Neither a restart nor a new network changes it.
      await controller.close();
      controller = await NetworkController.open(options());
      await controller.sandboxes.restore(new Set([request("web", {}).containerId]));
      await controller.networks.create({ Name: "other" });
      assert.equal(sh("nft -s list chain ip filter DOCKER-USER; nft list tables | sort"), rules);
      assert.match(await ask("192.0.2.9"), /hello/);
      server.close();
    });
  }

  it("comes back by itself after a flush, and lets others' rules be", async () => {
    const { netnsPath } = await web();
    const server = await echoIn(netnsPath, "0.0.0.0", 80);
    const rules = () => sh("nft -s list table ip longshore; iptables -S FORWARD");
    const before = rules();
    const restored =
      "printf '*filter\\n:INPUT ACCEPT [0:0]\\n:FORWARD ACCEPT [0:0]\\n:OUTPUT ACCEPT [0:0]\\nCOMMIT\\n' | iptables-restore";
    for (const flush of [
      "nft flush ruleset",
      "nft flush table ip longshore",
      "iptables -F; iptables -X; iptables -P FORWARD ACCEPT",
      restored,
    ]) {
      // It has to have seen them as they are.
      await controller.repair();
      sh(`${flush}; nft add table inet theirs`);
      // By itself the first time; that takes two seconds.
      if (flush !== "nft flush ruleset") await controller.repair();
      const wanted = flush.startsWith("nft flush table")
        ? before
        : before.replace("FORWARD DROP", "FORWARD ACCEPT").replace(/-A FORWARD -j LONGSHORE\n/, "");
      for (let left = 300; ; left--) {
        const now = sh("nft list tables").includes("ip longshore") ? rules() : "";
        if (now === wanted) break;
        if (left === 0) assert.equal(now, wanted, flush);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.match(await ask("192.0.2.9"), /hello/);
      assert.match(sh("nft list tables"), /inet theirs/);
      if (flush === "nft flush ruleset") sh("iptables -P FORWARD DROP");
      await controller.repair();
    }
    // While nobody changes rules, nothing is done.
    await controller.repair();
    await controller.repair();
    const handle = () =>
      /table ip longshore { # handle (\d+)/.exec(sh("nft -a list tables"))?.[1] ??
      sh("nft -a list table ip longshore").split("\n", 1)[0];
    const first = handle();
    sh("nft add table inet others");
    await controller.repair();
    await controller.repair();
    assert.equal(handle(), first);
    server.close();
  });

  it("takes its rules off when no container is left, and the administrator's not", async () => {
    sh("iptables -I DOCKER-USER -s 192.0.2.77 -j DROP");
    await controller.close();
    assert.doesNotMatch(sh("nft list tables"), /longshore|ip6 filter/);
    assert.equal(
      sh("iptables -S").replace(/^-P (INPUT|OUTPUT).*\n/gm, ""),
      "-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -m comment --comment longshore -j DOCKER-USER\n-A DOCKER-USER -s 192.0.2.77/32 -j DROP\n",
    );
    sh("iptables -F DOCKER-USER; iptables -P FORWARD ACCEPT");
    controller = await NetworkController.open({ ...options(), ipForwardNoDrop: true });
    await controller.close();
    assert.equal(sh("nft list tables"), "");
    sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    controller = await NetworkController.open({ ...options(), ipForward: false, iptables: false, ip6tables: false });
    await web();
    assert.equal(sh("nft list tables; cat /proc/sys/net/ipv4/ip_forward"), "0\n");
  });

  it("stops while others use the chains that it would take off", async () => {
    const forward = () => sh("iptables -S FORWARD; iptables -S DOCKER-USER").trim().split("\n").slice(1);
    // Another engine's jump, behind ours and before it; a predecessor that was killed had made its own, and somebody's chain leads there, too.
    for (const theirs of ["-A FORWARD -j DOCKER-USER", "-I FORWARD -j DOCKER-USER", "-A OUTPUT -j DOCKER-USER"]) {
      sh(`iptables ${theirs}`);
      await controller.close();
      assert.deepEqual(
        forward(),
        [...(theirs.includes("FORWARD") ? ["-A FORWARD -j DOCKER-USER"] : []), "-N DOCKER-USER"],
        theirs,
      );
      assert.doesNotMatch(sh("nft list tables"), /longshore/);
      sh("iptables -F; iptables -X");
      controller = await NetworkController.open(options());
    }
    // A killed predecessor's jump is ours, however often it stands there.
    const jump = 'nft add rule ip filter FORWARD counter jump DOCKER-USER comment "longshore"';
    sh(`${jump}; ${jump}; iptables -P FORWARD DROP`);
    await controller.repair();
    sh("iptables -A FORWARD -j LONGSHORE; iptables -N THEIRS; iptables -A THEIRS -j LONGSHORE");
    // What stays is empty, and does not keep the engine from its own rules.
    sh("iptables -P FORWARD ACCEPT");
    await controller.repair();
    assert.match(sh("iptables -S"), /-N LONGSHORE\n(?![^]*-A LONGSHORE)/);
    await controller.close();
    assert.doesNotMatch(sh("iptables -S FORWARD"), /DOCKER-USER|LONGSHORE/);
    assert.doesNotMatch(sh("iptables -S"), /-N DOCKER-USER/);
    controller = await NetworkController.open(options());
    // A map's element leads there: nothing in the list of rules tells so.
    sh("iptables -P FORWARD DROP");
    await controller.repair();
    sh(
      "nft 'add chain ip filter THEIRS; add rule ip filter THEIRS meta l4proto vmap { tcp : jump LONGSHORE, udp : jump DOCKER-USER }'",
    );
    sh("iptables -P FORWARD ACCEPT");
    await controller.repair();
    assert.match(sh("iptables -S"), /-N LONGSHORE\n(?![^]*-A LONGSHORE)/);
    await controller.networks.create({ Name: "meanwhile" });
    assert.match(sh("nft list table ip longshore"), /br-/);
    await controller.networks.remove("meanwhile");
    await controller.close();
    assert.doesNotMatch(sh("nft list tables"), /longshore/);
    assert.doesNotMatch(sh("nft list chain ip filter FORWARD"), /jump/);
    assert.match(sh("nft list table ip filter"), /chain LONGSHORE {\n\t}/);
    controller = await NetworkController.open(options());
  });

  it("stops when a step of taking off fails, and takes off the rest", async () => {
    const bin = mkdtempSync(join(root, "bin-"));
    const { PATH } = process.env;
    // As if another engine took the jump off between the list and its deletion, each time.
    writeFileSync(
      join(bin, "nft"),
      `#!/bin/sh\nexec 3<&0\nif [ "$1" = -f ]; then text=$(cat <&3); case $text in *"delete rule"*) echo "Error: Could not process rule: No such file or directory" >&2; exit 1;; esac; printf '%s\\n' "$text" | PATH=$REAL nft -f -; else PATH=$REAL nft "$@"; fi\n`,
      { mode: 0o755 },
    );
    Object.assign(process.env, { PATH: `${bin}:${PATH}`, REAL: PATH });
    try {
      await controller.close();
    } finally {
      process.env["PATH"] = PATH;
      delete process.env["REAL"];
    }
    assert.doesNotMatch(sh("nft list tables"), /longshore/);
    assert.match(sh("iptables -S FORWARD"), /-j DOCKER-USER/);
    controller = await NetworkController.open(options());
    await controller.close();
    assert.doesNotMatch(sh("iptables -S FORWARD"), /-j DOCKER-USER/);
    controller = await NetworkController.open(options());
  });

  it("has another default bridge once no container is on the one before", async () => {
    const devices = () =>
      sh("ip -o link show type bridge | sed 's/^[0-9]*: //; s/:.*//'").split("\n").filter(Boolean).sort();
    const subnets = () =>
      controller.networks
        .list()
        .filter(({ Name }) => Name === "bridge")
        .map(({ IPAM }) => IPAM.Config?.[0]?.Subnet);
    const own = { ...options(), bip: "" };
    await assert.rejects(
      NetworkController.open({ ...own, dataRoot: join(root, "never"), bridge: "br9" }),
      /^Unknown: Error initializing network controller: error creating default "bridge" network: bridge device with non default name br9 must be created manually$/,
    );
    sh("ip link add br9 type bridge; ip address add 10.8.0.1/24 dev br9");
    const containerId = request("web", {}).containerId;
    const others: [Partial<NetworkControllerOptions>, string[], string[]][] = [
      [{ bridge: "br9" }, ["br9"], ["10.8.0.0/24"]],
      [{ bridge: "none" }, ["br9"], []],
      [{ bip: "10.7.0.1/24" }, ["br9", "longshore0"], ["10.7.0.0/24"]],
    ];
    for (const [change, left, wanted] of others) {
      await web();
      await controller.close();
      assert.deepEqual(devices(), ["br9", "longshore0"], "it outlives a stop with a container on it");
      controller = await NetworkController.open({ ...own, ...change });
      await controller.sandboxes.restore(new Set([containerId]));
      assert.deepEqual([devices(), subnets()], [["br9", "longshore0"], ["10.9.0.0/24"]], "while the container runs");
      assert.equal(controller.sandboxes.get(containerId)?.networks["bridge"]?.IPAddress, "10.9.0.2");
      await controller.close();
      controller = await NetworkController.open({ ...own, ...change });
      await controller.sandboxes.restore(new Set());
      assert.deepEqual([devices(), subnets()], [left, wanted], JSON.stringify(change));
      if (change.bip !== undefined)
        assert.equal(sh("ip -o -4 address show longshore0 | grep -o 'inet [^ ]*'"), "inet 10.7.0.1/24\n");
      if (change.bridge === "none") assert.deepEqual((await web()).networks, {});
      else assert.match((await web()).networks["bridge"]?.IPAddress ?? "", /\.2$/);
      await controller.sandboxes.release(containerId);
      await controller.close();
      controller = await NetworkController.open(options());
    }
    sh("ip link delete br9");
  });

  it("binds ports where all networks' options say", async () => {
    await controller.networks.create({ Name: "own" });
    await controller.networks.create({
      Name: "wide",
      Options: { "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0" },
    });
    const bound = async (network: string) =>
      (
        await controller.sandboxes.allocate(request(network, { "80/tcp": [{ HostIp: "", HostPort: "8080" }] }, network))
      ).ports["80/tcp"]?.map(({ HostIp }) => HostIp);
    assert.deepEqual(await bound("own"), ["127.0.0.1"]);
    assert.equal(controller.networks.get("own").Options?.["com.docker.network.bridge.host_binding_ipv4"], "127.0.0.1");
    await controller.sandboxes.restore(new Set());
    assert.deepEqual(await bound("wide"), ["0.0.0.0", "::"]);
  });

  it("UDP flows follow a port to its new container", async () => {
    const client = createSocket("udp4");
    await new Promise<void>((resolve) =>
      client.bind(
        { fd: socketInNetns(outside, AF.INET, SOCK.DGRAM, 0, { address: "192.0.2.9", port: 4000 }) },
        resolve,
      ),
    );
    for (const name of ["one", "two"]) {
      const { netnsPath } = await controller.sandboxes.allocate(
        request(name, { "53/udp": [{ HostIp: "", HostPort: "5353" }] }),
      );
      const server = createSocket("udp4");
      server.on("message", (_message, { port, address }) => server.send(name, port, address));
      await new Promise<void>((resolve) =>
        server.bind(
          { fd: socketInNetns(netnsPath, AF.INET, SOCK.DGRAM, 0, { address: "0.0.0.0", port: 53 }) },
          resolve,
        ),
      );
      const answer = once(client, "message", { signal: AbortSignal.timeout(3000) });
      client.send("ping", 5353, "203.0.113.1");
      assert.equal(String((await answer)[0]), name);
      server.close();
      await controller.sandboxes.release(request(name, {}).containerId);
      // In between nobody has it: the flow must not be pinned to the host itself.
      client.send("ping", 5353, "203.0.113.1");
    }
    client.close();
  });

  // The last: the kernel does not forget that this backend has been used here.
  it("lets containers' packets through where the older backend of iptables drops, too", async () => {
    const { netnsPath } = await web();
    const server = await echoIn(netnsPath, "0.0.0.0", 80);
    const rules = () => sh("iptables-legacy -S");
    sh("iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -i eth9 -j ACCEPT");
    await controller.repair();
    assert.match(
      rules(),
      /-A FORWARD -j DOCKER-USER\n-A FORWARD -j LONGSHORE\n-A FORWARD -i eth9 -j ACCEPT\n-A LONGSHORE -i longshore0 -j ACCEPT\n/,
    );
    assert.match(await ask("192.0.2.9"), /hello/);
    sh("iptables-legacy -I DOCKER-USER -s 198.51.100.9 -j DROP; iptables-legacy -F FORWARD");
    await controller.repair();
    assert.match(await ask("192.0.2.9"), /hello/);
    assert.match(await ask("198.51.100.9"), /TIMEDOUT|timed out/);
    sh("iptables-legacy -P FORWARD ACCEPT");
    await controller.repair();
    assert.doesNotMatch(rules(), /-[Aj] LONGSHORE/);
    assert.match(rules(), /-A DOCKER-USER -s 198\.51\.100\.9\/32 -j DROP/);
    server.close();
    // A chain of ours that others lead to, with a condition and from elsewhere, hinders neither changes nor the end.
    const theirs = "-A FORWARD -i eth9 -j LONGSHORE";
    sh(`iptables-legacy ${theirs}; iptables-legacy -A OUTPUT -g LONGSHORE; iptables-legacy -P FORWARD DROP`);
    await controller.repair();
    assert.match(rules(), /-A LONGSHORE -i longshore0 -j ACCEPT/);
    await controller.sandboxes.restore(new Set());
    await controller.close();
    assert.match(rules(), /-N LONGSHORE\n(?![^]*-A LONGSHORE)/);
    assert.ok(rules().includes(theirs));
    assert.doesNotMatch(sh("nft list tables"), /longshore/);
    controller = await NetworkController.open(options());
    sh("iptables-legacy -F OUTPUT; iptables-legacy -F FORWARD");
    await controller.close();
    assert.doesNotMatch(rules(), /LONGSHORE/);
    controller = await NetworkController.open(options());
  });
});
