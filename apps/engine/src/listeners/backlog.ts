import { readFileSync } from "node:fs";

/** What the kernel allows since Linux 5.4, where it does not say. */
const usual = 4096;

/** How many connections may wait to be accepted: as many as the kernel lets any listener have, as Go's listeners do. */
export function backlog(): number {
  try {
    return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) || usual;
  } catch {
    return usual;
  }
}
