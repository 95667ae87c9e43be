import { closeSync } from "node:fs";
import { getSystemErrorMessage } from "node:util";
import { Unknown } from "@longshore/errdefs";
import { netlinkRequest, socketInNetns } from "@longshore/sys";
import { aligned, readI32, readU16, readU32 } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const NLMSG_ERROR = 2;
const headerLength = 16;

/** What the kernel refused. */
class NetlinkRefused extends Unknown {
  /** Of errno(3), positive. */
  readonly errno: number;

  constructor(step: string, errno: number) {
    super(`${step}: ${getSystemErrorMessage(-errno)}`);
    this.errno = errno;
  }
}

/** A step of a change: its message, and what to call it when the kernel refuses. */
export interface Step {
  name: string;
  message: Buffer;
}

/** Netlink in one network namespace, for links, addresses and routes unless another protocol is named. One request at a time. */
export class Rtnetlink implements Disposable {
  readonly #fd: number;

  /** @param netns path of the namespace; @param protocol of `linux/netlink.h` */
  constructor(netns = "/proc/self/ns/net", protocol = NETLINK_ROUTE) {
    this.#fd = socketInNetns(netns, AF_NETLINK, SOCK_RAW, protocol);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /**
   * Takes all steps with one system call; the kernel goes on after one that it refuses.
   * @returns messages that were asked for, without acknowledgements
   * @throws NetlinkRefused for the first refused step
   */
  async request(steps: readonly Step[]): Promise<Buffer[]> {
    if (steps.length === 0) return [];
    const bytes = await netlinkRequest(this.#fd, Buffer.concat(steps.map(({ message }) => message)));
    const answers: Buffer[] = [];
    let acknowledged = 0;
    for (let at = 0; at + headerLength <= bytes.length; at += aligned(readU32(bytes, at))) {
      if (readU16(bytes, at + 4) !== NLMSG_ERROR) {
        answers.push(bytes.subarray(at, at + readU32(bytes, at)));
        continue;
      }
      const error = -readI32(bytes, at + headerLength);
      if (error !== 0) throw new NetlinkRefused(steps[acknowledged]?.name ?? "netlink", error);
      acknowledged++;
    }
    if (acknowledged < steps.length) throw new Unknown(`${steps[acknowledged]?.name}: the kernel did not answer`);
    return answers;
  }
}
