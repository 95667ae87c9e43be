import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { EmitEvent } from "@longshore/docker-api";
import { InvalidArgument } from "@longshore/errdefs";
import type { Logger } from "@longshore/logger";
import { removeTree } from "@longshore/sys";
import { parseBridgeOptions } from "./bridge/bridge-options.ts";
import type { Networks, Sandboxes } from "./contract.ts";
import { type DefaultBridgeOptions, defaultBridgeDevice } from "./bridge/default-bridge.ts";
import { ensureDefaultBridge, ensureNetworks } from "./network/default-networks.ts";
import { DnsControl } from "./dns/control.ts";
import { Firewall, type RuleSource } from "./firewall/firewall.ts";
import { Firewalld } from "./firewall/firewalld.ts";
import { ForeignFirewall } from "./firewall/foreign.ts";
import { LegacyFirewall } from "./firewall/legacy.ts";
import { defaultPools, mustPrefix } from "./ipam/defaults.ts";
import type { AddressPool } from "./ipam/pool.ts";
import { parsePrefix } from "@longshore/ip";
import { removeDevice } from "./network/network-device.ts";
import { type NetworkDefaults, NetworkStore } from "./network/networks.ts";
import { linkRules } from "./endpoint/links.ts";
import { ephemeralRange, PortAllocator } from "./ports/allocator.ts";
import { ProxyClient } from "./proxy/client.ts";
import { portRules, proxyPorts, Publisher } from "./ports/publisher.ts";
import { Records } from "./records/records.ts";
import { SandboxStore } from "./sandbox/sandboxes.ts";
import { PluginReleases } from "./remote/plugin-releases.ts";
import type { NetworkPlugins } from "./remote/drivers.ts";
import { RemoteEndpoints } from "./remote/remote-endpoints.ts";
import { RemoteNetworks } from "./remote/remote-networks.ts";
import { removeStrayNetns } from "./bridge/stray-netns.ts";

/** dockerd's options for networks, by their names. */
export interface NetworkControllerOptions extends DefaultBridgeOptions, NetworkDefaults {
  /** Docker's inner layout: records in `network/files` below it. */
  dataRoot: string;
  /** Namespaces in `netns` below it, and the proxy's socket. */
  execRoot: string;
  userlandProxy: boolean;
  /** The script of docker-proxy, for Node. */
  proxyProgram: string;
  /** Whether published ports answer at the containers' own addresses, whoever asks. */
  allowDirectRouting: boolean;
  /** Whether the host's packet filter is touched at all, for IPv4 and for IPv6. */
  iptables: boolean;
  ip6tables: boolean;
  /** As in daemon.json: base CIDR and the size in bits of what is cut from it; empty: Docker's own. */
  defaultAddressPools: readonly { base: string; size: number }[];
  hostGatewayIps?: readonly string[];
  /** Network and IPAM drivers beside the engine's own. */
  plugins: NetworkPlugins;
  emit: EmitEvent;
  log: Logger;
}

/** How soon a firewall that somebody flushed is noticed, in milliseconds. */
const repairEvery = 2_000;

function poolsOf(configured: NetworkControllerOptions["defaultAddressPools"]): AddressPool[] {
  if (configured.length === 0) return defaultPools;
  return configured.map(({ base, size }) => {
    const prefix = parsePrefix(base);
    if (!prefix || size < prefix.bits || size > (prefix.family === 4 ? 32 : 128)) {
      throw new InvalidArgument(`invalid default address pool: ${base} in blocks of /${size}`);
    }
    return { base: prefix, size };
  });
}

function ruleSource(records: Records): RuleSource {
  return {
    bridges: (family) =>
      [...records.networks.values()].flatMap((network) => {
        const found = network.subnets.find(({ subnet }) => mustPrefix(subnet).family === family);
        if (network.bridge === "" || !found) return [];
        const { icc, masquerade, gatewayMode, trusted } = parseBridgeOptions(network);
        return [
          {
            device: network.bridge,
            subnet: found.subnet,
            internal: network.internal,
            icc,
            masquerade,
            trusted,
            gatewayMode: gatewayMode[family],
          },
        ];
      }),
    ports: (family) => [...records.sandboxes.values()].flatMap(({ published }) => portRules(published, family)),
    links: (family) => [...records.sandboxes.values()].flatMap((sandbox) => linkRules(records, sandbox, family)),
  };
}

/** The table's name: two engines on one host differ by their bridges. */
function tableName(bridge: string): string {
  return bridge === "" || bridge === defaultBridgeDevice ? "longshore" : `longshore-${bridge}`;
}

/** All of an engine's networking. */
export class NetworkController {
  readonly networks: Networks;
  readonly sandboxes: Sandboxes;
  readonly #sandboxes: SandboxStore;
  readonly #records: Records;
  readonly #firewall: Firewall;
  readonly #proxy: ProxyClient;
  readonly #timer: NodeJS.Timeout;
  readonly #runDir: string;
  readonly #releases: PluginReleases;
  readonly #log: Logger;

  private constructor(
    parts: {
      networks: NetworkStore;
      sandboxes: SandboxStore;
      records: Records;
      firewall: Firewall;
      proxy: ProxyClient;
      runDir: string;
      releases: PluginReleases;
    },
    log: Logger,
  ) {
    this.networks = parts.networks;
    this.sandboxes = parts.sandboxes;
    this.#sandboxes = parts.sandboxes;
    this.#records = parts.records;
    this.#firewall = parts.firewall;
    this.#proxy = parts.proxy;
    this.#runDir = parts.runDir;
    this.#releases = parts.releases;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.repair().catch((error: unknown) => log.error({ err: error }, "the firewall cannot be repaired"));
    }, repairEvery);
    this.#timer.unref();
  }

  /**
   * Reads the records and brings devices, rules and published ports to what they say. The
   * containers' sandboxes are left as they are until `sandboxes.restore` says which of them live.
   */
  static async open(options: NetworkControllerOptions): Promise<NetworkController> {
    const { dataRoot, execRoot, plugins, emit, log } = options;
    const pools = poolsOf(options.defaultAddressPools);
    const netnsDir = join(execRoot, "netns");
    const runDir = join(execRoot, "network");
    await mkdir(runDir, { recursive: true, mode: 0o711 });
    const records = new Records(join(dataRoot, "network", "files"), log);
    const table = tableName(options.bridge === "none" ? "" : options.bridge);
    const foreign = new ForeignFirewall(
      table,
      () => [...records.networks.values()].map(({ bridge }) => bridge).filter((bridge) => bridge !== ""),
      log,
    );
    const families = ([4, 6] as const).filter((family) => (family === 4 ? options.iptables : options.ip6tables));
    const firewall = new Firewall({
      table,
      options,
      source: ruleSource(records),
      foreign,
      legacy: new LegacyFirewall(table.toUpperCase(), log),
      firewalld: new Firewalld(log),
      families,
      log,
    });
    const wanted = () =>
      options.userlandProxy ? [...records.sandboxes.values()].flatMap(({ published }) => proxyPorts(published)) : [];
    const bringBack = async () => {
      if (wanted().length > 0) await proxy.reconcile();
      await dns.restore();
    };
    const proxy: ProxyClient = new ProxyClient(
      options.proxyProgram,
      join(runDir, "proxy.sock"),
      wanted,
      bringBack,
      log,
    );
    const dns = new DnsControl(records, proxy);
    const releases = new PluginReleases(records, plugins, log);
    const networks = new NetworkStore({
      records,
      firewall,
      pools,
      defaults: options,
      remote: new RemoteNetworks(plugins, releases),
      releases,
      log,
    });
    const publisher = new Publisher(
      records,
      new PortAllocator(ephemeralRange()),
      proxy,
      firewall,
      options.userlandProxy,
      log,
    );
    const remote = new RemoteEndpoints({ records, plugins, releases, log });
    let configured = await ensureDefaultBridge(records, networks, options);
    await ensureNetworks(records, networks);
    const restored = async () => {
      if (configured) return;
      // Those that were on it may have ended meanwhile.
      configured = await ensureDefaultBridge(records, networks, options);
      if (configured) await firewall.rebuild();
      else
        log.warn(
          "containers run on the default bridge, which stays as it was until a start without them: its configuration has changed",
        );
    };
    const sandboxes = new SandboxStore({
      restored,
      records,
      networks,
      publisher,
      firewall,
      userlandProxy: options.userlandProxy,
      dns,
      remote,
      releases,
      emit,
      log,
      netnsDir,
      hostGatewayIps: [...(options.hostGatewayIps ?? [])],
    });
    await firewall.rebuild();
    await proxy.reconcile();
    removeStrayNetns(netnsDir, records);
    return new NetworkController({ networks, sandboxes, records, firewall, proxy, runDir, releases }, log);
  }

  /** Puts the rules back if somebody flushed them. Runs by itself now and then; call it when a firewall was reloaded. */
  repair(): Promise<void> {
    return this.#firewall.repair();
  }

  /** What was damaged and set aside, in words. */
  damage(): string[] {
    return this.#records.damage();
  }

  /**
   * Ends with the engine. Containers that live keep all they have; when none does, devices and
   * rules are taken off the host, and the next start makes them anew.
   */
  async close(): Promise<void> {
    const stays = (what: string) => (error: unknown) => this.#log.error({ err: error }, what);
    clearInterval(this.#timer);
    await this.#releases.close();
    await this.#sandboxes.settled();
    if (this.#records.sandboxes.size === 0) {
      for (const record of this.#records.networks.values())
        await removeDevice(record).catch(stays("the device of a network stays"));
      await this.#firewall.remove().catch(stays("the engine's firewall rules stay"));
    }
    await this.#firewall.close();
    await this.#proxy.close();
    this.#records.close();
    if (this.#records.sandboxes.size === 0) await removeTree(this.#runDir);
  }
}
