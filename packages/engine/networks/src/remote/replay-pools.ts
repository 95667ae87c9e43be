import type { Logger } from "@longshore/logger";
import { newId } from "../records/new-id.ts";
import type { NetworkRecord, Records } from "../records/records.ts";
import type { PluginReleases } from "./plugin-releases.ts";
import type { RemoteNetworks } from "./remote-networks.ts";

interface Parts {
  records: Records;
  remote: RemoteNetworks;
  releases: PluginReleases;
  log: Logger;
}

/** Asks IPAM plugins that forget for what all networks and endpoints have; what goes wrong with one is no matter for the next. */
export async function replayPools(parts: Parts): Promise<void> {
  const { records, releases, log } = parts;
  for (const record of [...records.networks.values()].filter(({ pools }) => pools !== undefined)) {
    const owner = newId();
    await releases
      .during(owner, () => replay(parts, record, owner))
      .catch((error: unknown) =>
        log.warn(
          { err: error, network: record.name },
          "an IPAM plugin cannot be asked for a network's addresses again",
        ),
      );
    await releases.settle(owner);
  }
}

/** @param owner who owes the plugin the new pools until the network has them */
async function replay({ records, remote, releases }: Parts, record: NetworkRecord, owner: string): Promise<void> {
  const pools = await remote.replay(record, records.endpointsIn(record.id), owner);
  const current = records.networks.get(record.id);
  // It may have been removed meanwhile.
  if (pools === undefined || current === undefined) return;
  records.putNetwork({ ...current, pools });
  records.atomically(() => {
    releases.cancel(owner, "IpamDriver.ReleasePool");
    remote.oweAnew({ ...current, pools }, records.endpointsIn(record.id));
  });
}
