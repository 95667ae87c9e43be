import { Unknown } from "@longshore/errdefs";
import type { VlanOptions } from "@longshore/netlink";
import type { NetworkRecord } from "../records/records.ts";

const macvlanModes = ["bridge", "private", "vepa", "passthru"] as const;
const ipvlanModes = ["l2", "l3", "l3s"] as const;
const ipvlanFlags = ["bridge", "private", "vepa"] as const;

export type VlanDriver = VlanOptions["driver"];

export function isVlanDriver(driver: string): driver is VlanDriver {
  return driver === "macvlan" || driver === "ipvlan";
}

function oneOf<T extends string>(
  choices: readonly [T, ...T[]],
  given: string | undefined,
  refusal: (value: string) => string,
): T {
  if (given === undefined || given === "") return choices[0];
  const choice = choices.find((known) => known === given);
  if (choice === undefined) throw new Unknown(refusal(given));
  return choice;
}

/**
 * Reads the driver options of a macvlan or ipvlan network by Docker's names; others mean nothing.
 * @returns undefined for networks of other drivers
 * @throws Unknown `requested macvlan mode 'x' is not valid, …`
 */
export function parseVlanOptions({
  driver,
  options,
}: Pick<NetworkRecord, "driver" | "options">): VlanOptions | undefined {
  if (driver === "macvlan") {
    const mode = oneOf(
      macvlanModes,
      options["macvlan_mode"],
      (value) => `requested macvlan mode '${value}' is not valid, 'bridge' mode is the macvlan driver default`,
    );
    return { driver, mode };
  }
  if (driver !== "ipvlan") return undefined;
  const mode = oneOf(
    ipvlanModes,
    options["ipvlan_mode"],
    (value) => `requested ipvlan mode '${value}' is not valid, 'l2' mode is the ipvlan driver default`,
  );
  const flag = oneOf(
    ipvlanFlags,
    options["ipvlan_flag"],
    (value) => `requested ipvlan flag '${value}' is not valid, 'bridge' is the ipvlan driver default`,
  );
  return { driver, mode, flag };
}

/** Whether containers of the network have no gateway but route through their link alone. */
export function routesByLink(network: Pick<NetworkRecord, "driver" | "options">): boolean {
  const vlan = parseVlanOptions(network);
  return vlan?.driver === "ipvlan" && vlan.mode !== "l2";
}
