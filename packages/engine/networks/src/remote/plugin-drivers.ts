import { isKind, NotFound, Unknown } from "@longshore/errdefs";
import { type CallOptions, type Plugin, PluginRefused, type Plugins } from "@longshore/plugins";
import { mustPrefix } from "../ipam/defaults.ts";
import { formatPrefix, masked, parsePrefix } from "@longshore/ip";
import type { EndpointInterface, IpamDriver, JoinAnswer, NetworkDriver, NetworkPlugins } from "./drivers.ts";

const networkKind = "NetworkDriver";
const ipamKind = "IpamDriver";
const gatewayLabel = "com.docker.network.gateway";
/** How long something may take to be given back, in milliseconds: a container's end waits for it. */
const backMs = 10_000;

/** The two kinds of drivers name the field for a refusal differently. */
interface Answer {
  Err?: string;
  Error?: string;
}

async function call<T>(plugin: Plugin, method: string, body?: object, options: CallOptions = {}): Promise<T> {
  const answer = await plugin.call<T & Answer>(method, body, options);
  const refusal = method.startsWith(`${ipamKind}.`) ? answer.Error : answer.Err;
  if (refusal) throw new Unknown(`remote: ${refusal}`);
  return answer;
}

interface Capabilities {
  Scope?: string;
  ConnectivityScope?: string;
  GwAllocChecker?: boolean;
}

class PluginNetworkDriver implements NetworkDriver {
  readonly #plugin: Plugin;
  readonly scope: "local" | "global";
  readonly #checksGateway: boolean;

  private constructor(plugin: Plugin, scope: "local" | "global", checksGateway: boolean) {
    this.#plugin = plugin;
    this.scope = scope;
    this.#checksGateway = checksGateway;
  }

  static async of(plugin: Plugin): Promise<PluginNetworkDriver> {
    const {
      Scope,
      ConnectivityScope = "",
      GwAllocChecker = false,
    } = await call<Capabilities>(plugin, `${networkKind}.GetCapabilities`);
    if ((Scope !== "local" && Scope !== "global") || !["", "local", "global"].includes(ConnectivityScope)) {
      throw new Unknown(`invalid capability: expecting 'local' or 'global', got ${Scope ?? ""}`);
    }
    return new PluginNetworkDriver(plugin, Scope, GwAllocChecker);
  }

  get name(): string {
    return this.#plugin.name;
  }

  async skipsGateway(options: object): Promise<Record<4 | 6, boolean>> {
    if (!this.#checksGateway) return { 4: false, 6: false };
    const { SkipIPv4 = false, SkipIPv6 = false } = await call<{ SkipIPv4?: boolean; SkipIPv6?: boolean }>(
      this.#plugin,
      `${networkKind}.GwAllocCheck`,
      { Options: options },
    );
    return { 4: SkipIPv4, 6: SkipIPv6 };
  }

  async createNetwork(request: object): Promise<void> {
    await call(this.#plugin, `${networkKind}.CreateNetwork`, request);
  }

  async createEndpoint(request: object): Promise<Partial<EndpointInterface>> {
    const { Interface } = await call<{ Interface?: Partial<EndpointInterface> | null }>(
      this.#plugin,
      `${networkKind}.CreateEndpoint`,
      request,
    );
    return Interface ?? {};
  }

  join(request: object): Promise<JoinAnswer> {
    return call<JoinAnswer>(this.#plugin, `${networkKind}.Join`, request);
  }

  async endpointInfo(NetworkID: string, EndpointID: string): Promise<void> {
    await call(this.#plugin, `${networkKind}.EndpointOperInfo`, { NetworkID, EndpointID });
  }

  async programExternal(request: object): Promise<void> {
    try {
      await call(this.#plugin, `${networkKind}.ProgramExternalConnectivity`, request);
    } catch (error) {
      if (!(error instanceof PluginRefused) || error.status !== 404) throw error;
    }
  }
}

class PluginIpamDriver implements IpamDriver {
  readonly #plugin: Plugin;
  readonly needsMac: boolean;
  readonly replays: boolean;

  private constructor(plugin: Plugin, needsMac: boolean, replays: boolean) {
    this.#plugin = plugin;
    this.needsMac = needsMac;
    this.replays = replays;
  }

  static async of(plugin: Plugin): Promise<PluginIpamDriver> {
    try {
      const found = await call<{ RequiresMACAddress?: boolean; RequiresRequestReplay?: boolean }>(
        plugin,
        `${ipamKind}.GetCapabilities`,
      );
      return new PluginIpamDriver(plugin, found.RequiresMACAddress === true, found.RequiresRequestReplay === true);
    } catch (error) {
      // Older drivers have no such method.
      if (!isKind(error, "Unknown")) throw error;
      return new PluginIpamDriver(plugin, false, false);
    }
  }

  get name(): string {
    return this.#plugin.name;
  }

  async addressSpace(scope: string): Promise<string> {
    const found = await call<{ LocalDefaultAddressSpace?: string; GlobalDefaultAddressSpace?: string }>(
      this.#plugin,
      `${ipamKind}.GetDefaultAddressSpaces`,
    );
    return (scope === "global" ? found.GlobalDefaultAddressSpace : found.LocalDefaultAddressSpace) ?? "";
  }

  async requestPool(request: object): Promise<{ id: string; pool: string; gateway: string | undefined }> {
    const {
      PoolID = "",
      Pool = "",
      Data,
    } = await call<{ PoolID?: string; Pool?: string; Data?: Record<string, string> | null }>(
      this.#plugin,
      `${ipamKind}.RequestPool`,
      request,
    );
    if (!Pool.includes("/")) throw new Unknown(`netip.ParsePrefix(${JSON.stringify(Pool)}): no '/'`);
    const prefix = parsePrefix(Pool);
    if (!prefix) throw new Unknown(`netip.ParsePrefix(${JSON.stringify(Pool)}): unable to parse IP`);
    return { id: PoolID, pool: formatPrefix(masked(prefix)), gateway: Data?.[gatewayLabel] };
  }

  async requestAddress(PoolID: string, address: string, Options: Record<string, string> | null): Promise<string> {
    const { Address = "" } = await call<{ Address?: string }>(this.#plugin, `${ipamKind}.RequestAddress`, {
      PoolID,
      Address: address,
      Options,
    });
    if (Address === "") throw new Unknown("no address returned");
    if (!parsePrefix(Address)) throw new Unknown(`invalid CIDR address: ${Address}`);
    return formatPrefix(mustPrefix(Address));
  }
}

/** The network and IPAM drivers among the plugins. */
export function pluginNetworks(plugins: Plugins): NetworkPlugins {
  const drivers = new WeakMap<Plugin, Promise<PluginNetworkDriver>>();
  const ipams = new WeakMap<Plugin, Promise<PluginIpamDriver>>();
  /** What a plugin can do is asked once; what failed is asked again the next time. */
  const once = <T>(
    known: WeakMap<Plugin, Promise<T>>,
    plugin: Plugin,
    ask: (plugin: Plugin) => Promise<T>,
  ): Promise<T> => {
    const asked = known.get(plugin) ?? ask(plugin);
    known.set(plugin, asked);
    asked.catch(() => known.delete(plugin));
    return asked;
  };
  return {
    driver: async (name, wait = false) => {
      const plugin = await plugins.get(name, networkKind, { wait });
      return once(drivers, plugin, PluginNetworkDriver.of).catch((error: unknown) => {
        throw new NotFound(`could not resolve driver ${name} in registry`, { cause: error });
      });
    },
    ipam: async (name, wait = false) => once(ipams, await plugins.get(name, ipamKind, { wait }), PluginIpamDriver.of),
    giveBack: async (name, method, body, patient) => {
      const options = { retry: patient, wait: patient, timeoutMs: backMs };
      try {
        await call(await plugins.get(name, method.slice(0, method.indexOf(".")), options), method, body, options);
      } catch (error) {
        // Drivers need not have this method.
        if (
          method !== `${networkKind}.RevokeExternalConnectivity` ||
          !(error instanceof PluginRefused) ||
          error.status !== 404
        )
          throw error;
      }
    },
  };
}
