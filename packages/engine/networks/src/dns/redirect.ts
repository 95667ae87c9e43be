import {
  addOutputNatChain,
  addRule,
  addTable,
  deleteTable,
  destinationNat,
  Netfilter,
  toAddress,
  toPort,
} from "@longshore/netlink";
import { type DnsPorts, embeddedDns } from "@longshore/proxy-api";

const protocols = { tcp: 6, udp: 17 } as const;
const table = "longshore";
const chain = "output";

/**
 * In the container port 53 stays free for its own programs: what goes to the server is led to where it listens.
 * Over netlink, not by `nft`: starting that takes 20 ms of processor time, of each container.
 * @param replace whether there may be earlier rules
 */
export async function redirectDns(netnsPath: string, ports: DnsPorts, replace: boolean): Promise<void> {
  const server = Buffer.from(embeddedDns.split(".").map(Number));
  const rule = (protocol: keyof typeof protocols) =>
    addRule(table, chain, [
      ...toAddress(server),
      ...toPort(protocols[protocol], 53),
      ...destinationNat(server, ports[protocol]),
    ]);
  using netfilter = new Netfilter(netnsPath);
  const earlier = replace ? [addTable(table), deleteTable(table)] : [];
  await netfilter.apply([...earlier, addTable(table), addOutputNatChain(table, chain), rule("udp"), rule("tcp")]);
}
