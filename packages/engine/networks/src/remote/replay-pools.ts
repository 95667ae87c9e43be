import type { Logger } from "@longshore/logger";
import { newId } from "../records/new-id.ts";
import type { NetworkRecord, Records } from "../records/records.ts";
import type { Debts } from "./debts.ts";
import type { RemoteNetworks } from "./remote-networks.ts";

interface Parts {
  records: Records;
  remote: RemoteNetworks;
  debts: Debts;
  log: Logger;
}

/** Asks IPAM plugins that forget for what all networks and endpoints have; what goes wrong with one is no matter for the next. */
export async function replayPools(parts: Parts): Promise<void> {
  const { records, debts, log } = parts;
  for (const record of [...records.networks.values()].filter(({ pools }) => pools !== undefined)) {
    const owner = newId();
    await debts
      .during(owner, () => replay(parts, record, owner))
      .catch((error: unknown) =>
        log.warn(
          { err: error, network: record.name },
          "an IPAM plugin cannot be asked for a network's addresses again",
        ),
      );
    await debts.settle(owner);
  }
}

/** @param owner who owes the plugin the new pools until the network has them */
async function replay({ records, remote, debts }: Parts, record: NetworkRecord, owner: string): Promise<void> {
  const pools = await remote.replay(record, records.endpointsIn(record.id), owner);
  const current = records.networks.get(record.id);
  // It may have been removed meanwhile.
  if (pools === undefined || current === undefined) return;
  records.putNetwork({ ...current, pools });
  records.atomically(() => {
    debts.forgive(owner, "IpamDriver.ReleasePool");
    remote.oweAnew({ ...current, pools }, records.endpointsIn(record.id));
  });
}
