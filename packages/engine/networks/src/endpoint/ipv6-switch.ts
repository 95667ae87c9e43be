import { existsSync, readFileSync } from "node:fs";
import { Unknown } from "@longshore/errdefs";
import { writeInNetns } from "@longshore/sys";

// A container's namespace has IPv6 unless its sysctls switch it off for the loopback device, as the real
// engine reads it; each of its links has IPv6 when its network does.

const conf = "/proc/sys/net/ipv6/conf";
/** The sysctls that decide, in the order in which the later one wins. */
const switches = ["all", "default", "lo"].map((device) => ({ device, sysctl: `net.ipv6.conf.${device}.disable_ipv6` }));

const isOn = (value: string | undefined): boolean => value !== undefined && Number(value) !== 0;

/** Whether a container with these sysctls has no IPv6 at all. */
export function ipv6IsOff(sysctls: Readonly<Record<string, string>>): boolean {
  if (!existsSync(conf)) return true;
  return isOn(sysctls["net.ipv6.conf.lo.disable_ipv6"] ?? sysctls["net.ipv6.conf.all.disable_ipv6"]);
}

/** Whether the host itself has IPv6 on its loopback device. */
export function hostHasIPv6(): boolean {
  const path = `${conf}/lo/disable_ipv6`;
  return existsSync(path) && readFileSync(path, "utf8").trim() === "0";
}

/** Applies those of a container's sysctls that links which come later begin with: set afterwards, they would undo what each link has. */
export function switchNamespace(netnsPath: string, sysctls: Readonly<Record<string, string>>): void {
  for (const { device, sysctl } of switches) {
    const value = sysctls[sysctl];
    // What is wrong with it is the runtime's to say.
    if (value === "0" || value === "1") write(netnsPath, device, value);
  }
}

/** Gives a link IPv6 or none. @throws Unknown where it cannot be taken away */
export function switchLink(netnsPath: string, ifname: string, ipv6: boolean): void {
  write(netnsPath, ifname, ipv6 ? "0" : "1");
}

function write(netnsPath: string, device: string, value: "0" | "1"): void {
  try {
    writeInNetns(netnsPath, `${conf}/${device}/disable_ipv6`, value);
  } catch (error) {
    // The kernel has no IPv6, or the link is too small for it.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new Unknown(`failed to disable IPv6 on container's interface ${device}`, { cause: error });
  }
}
