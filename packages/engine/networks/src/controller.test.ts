import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { AF, SOCK, socketInNetns } from "@longshore/sys";
import { NetworkController, type NetworkControllerOptions } from "./controller.ts";
import type { SandboxRequest } from "./contract.ts";
import { dial, echoIn, exchange, from } from "./endpoint/echo-in-netns.ts";
import { plainOptions } from "./testing/plain-options.ts";

/** Of this process alone, so that runs side by side do not share it. */
const device = `lst${process.pid}`;

/** The first three numbers of a /24 that no link of the host is in: another engine's rules guard the others. */
function freeSubnet(): string {
  const taken = readFileSync("/proc/net/fib_trie", "utf8");
  for (let third = 0; third < 256; third++) if (!taken.includes(` 10.214.${third}.`)) return `10.214.${third}`;
  return assert.fail("each subnet of 10.214.0.0/16 is taken");
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let left = 400; !condition(); left--) {
    if (left === 0) assert.fail(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const exists = (link: string) => existsSync(join("/sys/class/net", link));
/** A bridge and the host's ends of what is attached to it. */
const linksOf = (bridge: string) =>
  exists(bridge) ? [bridge, ...readdirSync(join("/sys/class/net", bridge, "brif"))] : [];
const tables = () => execFileSync("nft", ["list", "tables"]).toString();

describe("network controller on the kernel", function () {
  if (process.getuid?.() !== 0) return;
  let root = "";
  let controller: NetworkController;
  let events: string[] = [];

  const options = (): NetworkControllerOptions =>
    plainOptions(root, {
      bridge: device,
      ipForwardNoDrop: true,
      defaultAddressPools: [{ base: "10.213.0.0/16", size: 24 }],
      emit: (type, action, { Attributes }) => events.push(`${type} ${action} ${Attributes["name"]}`),
    });

  const request = (name: string, more: Partial<SandboxRequest> = {}): SandboxRequest => {
    const containerDir = join(root, name);
    mkdirSync(containerDir, { recursive: true });
    return {
      containerId: Buffer.from(name).toString("hex").padEnd(64, "0"),
      containerName: name,
      hostname: name,
      domainname: "",
      networkMode: "bridge",
      endpoints: {},
      portBindings: {},
      publishAllPorts: false,
      exposedPorts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
      containerDir,
      ...more,
    };
  };
  const idOf = (name: string) => request(name).containerId;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "lsnet-"));
    events = [];
    // One that is named is its administrator's.
    execFileSync("ip", ["link", "add", device, "type", "bridge"]);
    controller = await NetworkController.open(options());
  });

  afterEach(async () => {
    const made = [device, ...controller.networks.list().map(({ Id }) => `br-${Id.slice(0, 12)}`)].flatMap(linksOf);
    await controller.sandboxes.restore(new Set());
    for (const { Name } of controller.networks.list())
      if (!["bridge", "host", "none"].includes(Name)) await controller.networks.remove(Name);
    await controller.close();
    execFileSync("ip", ["link", "delete", device]);
    await until(() => !made.some(exists), `the end of ${made.filter(exists).join(" ")}`);
    assert.ok(!tables().includes(device), tables());
    await until(() => !existsSync(join(root, "run/network/proxy.sock")), "the proxy ends");
    assert.deepEqual(existsSync(join(root, "run/netns")) ? readdirSync(join(root, "run/netns")) : [], []);
    rmSync(root, { recursive: true });
  });

  it("connects containers with each other, the host and their published ports", async () => {
    const a = await controller.sandboxes.allocate(
      request("a", { portBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] }, exposedPorts: ["80/tcp", "81/tcp"] }),
    );
    const b = await controller.sandboxes.allocate(request("b"));
    const ip = a.networks["bridge"]?.IPAddress ?? "";
    const gateway = a.networks["bridge"]?.Gateway ?? "";
    assert.match(ip, /^10\.213\.0\.2$/);
    assert.equal(b.networks["bridge"]?.IPAddress, "10.213.0.3");
    assert.equal(a.ports["81/tcp"], null);
    const port = Number(a.ports["80/tcp"]?.[0]?.HostPort);
    const server = await echoIn(a.netnsPath, "0.0.0.0", 80);
    const own =
      Object.values(networkInterfaces())
        .flat()
        .find((address) => address?.family === "IPv4" && !address.internal && !address.address.startsWith("10.213."))
        ?.address ?? "";
    assert.match(await exchange(from(b.netnsPath, ip, 80)), /hello from .*10\.213\.0\.3$/);
    assert.match(await exchange(dial(ip, 80)), /hello from/);
    assert.match(await exchange(dial("127.0.0.1", port)), /hello from/);
    assert.match(await exchange(dial("::1", port)), /hello from/);
    assert.match(await exchange(dial(own, port)), /hello from/);
    assert.match(await exchange(from(b.netnsPath, own, port)), /hello from/);
    assert.match(await exchange(from(b.netnsPath, gateway, port)), /hello from/);
    assert.match(await exchange(from(a.netnsPath, own, port)), /hello from/);
    server.close();
    assert.deepEqual(events, ["network connect bridge", "network connect bridge"]);
    assert.match(readFileSync(join(root, "a/hosts"), "utf8"), /\n10\.213\.0\.2\ta\n$/);
    await controller.sandboxes.release(idOf("a"));
    await assert.rejects(exchange(dial("127.0.0.1", port)), /ECONNREFUSED/);
  });

  it("publishes UDP", async () => {
    const a = await controller.sandboxes.allocate(
      request("a", { portBindings: { "53/udp": [{ HostIp: "127.0.0.1", HostPort: "" }] } }),
    );
    const port = Number(a.ports["53/udp"]?.[0]?.HostPort);
    const server = createSocket("udp4");
    server.on("message", (message, { port, address }) => server.send(`${message.toString()}!`, port, address));
    await new Promise<void>((resolve) =>
      server.bind(
        { fd: socketInNetns(a.netnsPath, AF.INET, SOCK.DGRAM, 0, { address: "0.0.0.0", port: 53 }) },
        resolve,
      ),
    );
    const client = createSocket("udp4");
    const answer = new Promise<string>((resolve) => client.on("message", (message) => resolve(message.toString())));
    client.send("ping", port, "127.0.0.1");
    assert.equal(await answer, "ping!");
    client.close();
    server.close();
  });

  it("refuses ports in use with Docker's words and leaves nothing", async () => {
    const bindings = { portBindings: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "" }] } };
    const a = await controller.sandboxes.allocate(request("a", bindings));
    const HostPort = a.ports["80/tcp"]?.[0]?.HostPort ?? "";
    await assert.rejects(
      controller.sandboxes.allocate(request("b", { portBindings: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort }] } })),
      new RegExp(
        `^Unknown: failed to set up container networking: driver failed programming external connectivity on endpoint b \\([0-9a-f]{64}\\): Bind for 0\\.0\\.0\\.0:${HostPort} failed: port is already allocated$`,
      ),
    );
    assert.equal(controller.sandboxes.get(idOf("b")), undefined);
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as { port: number };
    await assert.rejects(
      controller.sandboxes.allocate(
        request("b", { portBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: String(port) }] } }),
      ),
      new RegExp(
        `failed to bind host port for 127\\.0\\.0\\.1:${port}:10\\.213\\.0\\.3:80/tcp: address already in use$`,
      ),
    );
    taken.close();
  });

  it("keeps sandboxes, ports and rules over a death of the engine, of the proxy, and a flush of the firewall", async () => {
    const a = await controller.sandboxes.allocate(
      request("a", { portBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] } }),
    );
    await controller.sandboxes.allocate(request("b"));
    const port = Number(a.ports["80/tcp"]?.[0]?.HostPort);
    const server = await echoIn(a.netnsPath, "0.0.0.0", 80);
    execFileSync("nft", ["delete", "table", "ip", `longshore-${device}`]);
    await controller.close();
    assert.match(await exchange(dial("127.0.0.1", port)), /hello from/);
    controller = await NetworkController.open(options());
    await controller.sandboxes.restore(new Set([idOf("a")]));
    assert.deepEqual(controller.sandboxes.get(idOf("a")), a);
    assert.equal(controller.sandboxes.get(idOf("b")), undefined);
    assert.match(await exchange(dial("127.0.0.1", port)), /hello from/);
    assert.match(await exchange(from(a.netnsPath, a.networks["bridge"]?.Gateway ?? "", port)), /hello from/);
    const proxy = () =>
      execFileSync("pgrep", ["-f", join(root, "run/network/proxy.sock")])
        .toString()
        .trim();
    const killed = proxy();
    process.kill(Number(killed), "SIGKILL");
    for (let left = 200; ; left--) {
      const answer = await exchange(dial("127.0.0.1", port)).catch((error: Error) => error.message);
      if (answer.startsWith("hello")) break;
      if (left === 0) assert.fail(answer);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.notEqual(proxy(), killed);
    server.close();
  });

  it("makes user-defined networks, apart from each other, with names", async () => {
    const subnet = freeSubnet();
    await controller.networks.create({
      Name: "front",
      IPAM: { Driver: "default", Options: null, Config: [{ Subnet: `${subnet}.0/24` }] },
    });
    await controller.networks.create({ Name: "back", Internal: true });
    const a = await controller.sandboxes.allocate(
      request("a", {
        networkMode: "front",
        endpoints: { front: { IPAMConfig: { IPv4Address: `${subnet}.9` }, Aliases: ["web"] } },
      }),
    );
    const b = await controller.sandboxes.allocate(request("b", { networkMode: "back" }));
    assert.equal(a.networks["front"]?.IPAddress, `${subnet}.9`);
    assert.deepEqual(a.networks["front"]?.DNSNames, ["a", "web", idOf("a").slice(0, 12)]);
    assert.equal(b.networks["back"]?.Gateway, "");
    const server = await echoIn(a.netnsPath, "0.0.0.0", 80);
    assert.throws(() => from(b.netnsPath, `${subnet}.9`, 80), /ENETUNREACH/);
    const joined = await controller.sandboxes.connect(idOf("b"), "front", {});
    assert.equal(joined.networks["front"]?.IPAddress, `${subnet}.2`);
    assert.match(await exchange(from(b.netnsPath, `${subnet}.9`, 80)), new RegExp(`hello from .*${subnet}.2`));
    const ask = (name: string) =>
      execFileSync("nsenter", [
        `--net=${b.netnsPath}`,
        process.execPath,
        "-e",
        `
      const r = new (require("node:dns").promises.Resolver)(); r.setServers(["127.0.0.11"]);
      r.resolve4(${JSON.stringify(name)}).then((x) => console.log(x.join()), (e) => console.log(e.code))`,
      ])
        .toString()
        .trim();
    assert.equal(ask("web"), `${subnet}.9`);
    await assert.rejects(
      controller.networks.remove("front"),
      /^PermissionDenied: error while removing network: network front has active endpoints \(name:"a" id:"[0-9a-f]{12}", name:"b"/,
    );
    assert.deepEqual(Object.keys(controller.networks.inspect("front").Containers).length, 2);
    await controller.sandboxes.disconnect(idOf("b"), "front");
    assert.throws(() => from(b.netnsPath, `${subnet}.9`, 80), /ENETUNREACH/);
    server.close();
    const mode = controller.sandboxes.get(idOf("b"));
    assert.deepEqual(Object.keys(mode?.networks ?? {}), ["back"]);
  });
});
