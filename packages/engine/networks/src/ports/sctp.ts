import { closeSync } from "node:fs";
import { AF, SOCK, socketInNetns } from "@longshore/sys";

const IPPROTO_SCTP = 132;
let known: boolean | undefined;

/** Whether the kernel has SCTP, or loads it when it is asked for. */
export function kernelSpeaksSctp(): boolean {
  if (known !== true) {
    try {
      closeSync(socketInNetns("/proc/self/ns/net", AF.INET, SOCK.STREAM, IPPROTO_SCTP));
      known = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPROTONOSUPPORT") throw error;
      known = false;
    }
  }
  return known;
}
