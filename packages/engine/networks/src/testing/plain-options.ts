import { join } from "node:path";
import { NotFound } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { NetworkControllerOptions } from "../controller.ts";
import { proxyProgram } from "./proxy-program.ts";
import type { NetworkPlugins } from "../remote/drivers.ts";

const none = (name: string): Promise<never> => Promise.reject(new NotFound(`plugin "${name}" not found`));
const noPlugins: NetworkPlugins = { driver: none, ipam: none, giveBack: none };

/** For tests and benchmarks: the options of a daemon that nobody has configured, below `root`, but for `own`. */
export function plainOptions(root: string, own: Partial<NetworkControllerOptions>): NetworkControllerOptions {
  return {
    dataRoot: join(root, "data"),
    execRoot: join(root, "run"),
    bip: "",
    bip6: "",
    bridge: "",
    fixedCidr: "",
    fixedCidrV6: "",
    defaultGateway: "",
    defaultGatewayV6: "",
    ipv6: false,
    mtu: 0,
    icc: true,
    ip: "",
    ipMasq: true,
    userlandProxy: true,
    proxyProgram,
    allowDirectRouting: false,
    ipForward: true,
    ipForwardNoDrop: false,
    iptables: true,
    ip6tables: true,
    defaultAddressPools: [],
    defaultNetworkOpts: {},
    plugins: noPlugins,
    emit: () => undefined,
    log: silent,
    ...own,
  };
}
