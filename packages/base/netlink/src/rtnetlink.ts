import { closeSync } from "node:fs";
import { getSystemErrorMessage } from "node:util";
import { Unknown } from "@longshore/errdefs";
import { netlinkRequest, socketInNetns } from "@longshore/sys";
import { aligned, readI32, readU16, readU32, setSequence } from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const NLMSG_ERROR = 2;
const headerLength = 16;
const EOPNOTSUPP = 95;

/** What the kernel refused. */
export class NetlinkRefused extends Unknown {
  /** Of errno(3), positive. */
  readonly errno: number;
  /** The kernel's words alone. */
  readonly words: string;

  constructor(step: string, errno: number) {
    const words = errno === EOPNOTSUPP ? "operation not supported" : getSystemErrorMessage(-errno);
    super(`${step}: ${words}`);
    this.errno = errno;
    this.words = words;
  }
}

/** A step of a change: its message, and what to call it when the kernel refuses. */
export interface Step {
  name: string;
  message: Buffer;
  /** An errno that is no refusal: there is nothing to do then. */
  tolerates?: number;
  /** The kernel need not acknowledge it. */
  silent?: boolean;
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
    for (const [number, { message }] of steps.entries()) setSequence(message, number);
    const bytes = await netlinkRequest(this.#fd, Buffer.concat(steps.map(({ message }) => message)));
    const answers: Buffer[] = [];
    const acknowledged = new Set<Step>();
    for (let at = 0; at + headerLength <= bytes.length; at += aligned(readU32(bytes, at))) {
      if (readU16(bytes, at + 4) !== NLMSG_ERROR) {
        answers.push(bytes.subarray(at, at + readU32(bytes, at)));
        continue;
      }
      const step = steps[readU32(bytes, at + 8)];
      const error = -readI32(bytes, at + headerLength);
      if (error !== 0 && error !== step?.tolerates) throw new NetlinkRefused(step?.name ?? "netlink", error);
      if (step !== undefined) acknowledged.add(step);
    }
    const unanswered = steps.find((step) => !(acknowledged.has(step) || step.silent === true));
    if (unanswered !== undefined) throw new Unknown(`${unanswered.name}: the kernel did not answer`);
    return answers;
  }
}
