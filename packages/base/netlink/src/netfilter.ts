import type { Family } from "@longshore/ip";
import { attribute, message, nest, u8, u32 } from "./message.ts";
import { transaction } from "./nftables.ts";
import { Rtnetlink, type Step } from "./rtnetlink.ts";

const NETLINK_NETFILTER = 12;
const AF: Record<Family, number> = { 4: 2, 6: 10 };
const subsystem = { conntrack: 1, nftables: 10 } as const;
const NFT_MSG_GETGEN = 16;
const IPCTNL_MSG_CT_DELETE = 2;
const IPPROTO_UDP = 17;
/** Attributes of `linux/netfilter/nfnetlink_conntrack.h`. */
const CTA = {
  TUPLE_ORIG: 1,
  FILTER: 25,
  TUPLE_IP: 1,
  TUPLE_PROTO: 2,
  PROTO_NUM: 1,
  PROTO_DST_PORT: 3,
  FILTER_ORIG_FLAGS: 1,
} as const;
const CTA_IP_DST: Record<Family, number> = { 4: 2, 6: 4 };
/** Which members of a tuple a filter compares: bits by their place in the kernel's list. */
const compare = { destination: 1 << 1, protocol: 1 << 3, port: 1 << 5 } as const;

/** `struct nfgenmsg` */
function family(af: number): Buffer {
  return Buffer.of(af, 0, 0, 0);
}

/** The kernel's packet filter and its connection tracking, in one network namespace. */
export class Netfilter implements Disposable {
  readonly #netlink: Rtnetlink;

  constructor(netns?: string) {
    this.#netlink = new Rtnetlink(netns, NETLINK_NETFILTER);
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  /** The number of the ruleset: each transaction, whoever's it is, raises it by one. */
  async generation(): Promise<number> {
    const [answer] = await this.#netlink.request([
      { name: "nftables generation", message: message((subsystem.nftables << 8) | NFT_MSG_GETGEN, 0, family(0)) },
    ]);
    // Header, nfgenmsg, and the first attribute: a big-endian number.
    return answer === undefined ? 0 : answer.readUInt32BE(24);
  }

  /** Changes tables of nftables: all of it happens, or nothing. @throws NetlinkRefused, which names the step */
  async apply(changes: readonly Step[]): Promise<void> {
    await this.#netlink.request(transaction(changes));
  }

  /**
   * Forgets UDP flows to these ports of the host: they would go on leading to who had the port before.
   * @param flows `address` in bytes; undefined for any local one
   */
  async forgetUdp(flows: readonly { family: Family; address: Buffer | undefined; port: number }[]): Promise<void> {
    const steps = flows.map(({ family: version, address, port }) => {
      const tuple = [
        ...(address ? [nest(CTA.TUPLE_IP, attribute(CTA_IP_DST[version], address))] : []),
        nest(
          CTA.TUPLE_PROTO,
          attribute(CTA.PROTO_NUM, u8(IPPROTO_UDP)),
          attribute(CTA.PROTO_DST_PORT, Buffer.of(port >> 8, port & 0xff)),
        ),
      ];
      const flags = compare.protocol | compare.port | (address ? compare.destination : 0);
      const filter = nest(CTA.FILTER, attribute(CTA.FILTER_ORIG_FLAGS, u32(flags)));
      return {
        name: `forgetting UDP flows to port ${port}`,
        message: message(
          (subsystem.conntrack << 8) | IPCTNL_MSG_CT_DELETE,
          0,
          family(AF[version]),
          nest(CTA.TUPLE_ORIG, ...tuple),
          filter,
        ),
      };
    });
    await this.#netlink.request(steps);
  }
}
