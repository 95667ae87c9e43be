import { join } from "node:path";
import { silent } from "@longshore/log";
import type { NetworkControllerOptions } from "./controller.ts";

/** For tests and benchmarks: the options of a daemon that nobody has configured, below `root`, but for `own`. */
export function plainOptions(root: string, own: Partial<NetworkControllerOptions>): NetworkControllerOptions {
  return {
    dataRoot: join(root, "data"),
    execRoot: join(root, "run"),
    bip: "",
    bridge: "",
    fixedCidr: "",
    mtu: 0,
    icc: true,
    ip: "",
    ipMasq: true,
    userlandProxy: true,
    ipForward: true,
    ipForwardNoDrop: false,
    iptables: true,
    ip6tables: true,
    defaultAddressPools: [],
    defaultNetworkOpts: {},
    emit: () => undefined,
    log: silent,
    ...own,
  };
}
