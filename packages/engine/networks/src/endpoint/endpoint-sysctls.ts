import { getSystemErrorMessage } from "node:util";
import { Unknown } from "@longshore/errdefs";
import { writeInNetns } from "@longshore/sys";
import type { EndpointRecord } from "../records/records.ts";

const option = "com.docker.network.endpoint.sysctls";
// The docker CLI writes options in small letters.
const shape = /^net\.(?:ipv4|ipv6|mpls)\.[^.=]+\.IFNAME\.[^.=]+=.*$/is;

function listed(driverOpts: Record<string, string> | null | undefined): string[] {
  const value = driverOpts?.[option] ?? "";
  return value === "" ? [] : value.split(",");
}

/** What is wrong with an endpoint's own sysctls, in Docker's words. */
export function sysctlErrors(driverOpts: Record<string, string> | null | undefined): string[] {
  return listed(driverOpts)
    .filter((sysctl) => !shape.test(sysctl))
    .map(
      (sysctl) =>
        `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
    );
}

function wordsOf(error: NodeJS.ErrnoException): string {
  return error.errno === undefined ? error.message : getSystemErrorMessage(-Math.abs(error.errno));
}

/** Sets an endpoint's own sysctls in its namespace, where its link is already. @throws Unknown for one that there is not */
export function applySysctls({ settings, ifname, veth }: EndpointRecord, netnsPath: string): void {
  for (const sysctl of listed(settings.DriverOpts)) {
    const [name = "", value = ""] = sysctl.split(/=(.*)/s);
    const path = `/proc/sys/${name
      .split(".")
      .map((part) => (part.toUpperCase() === "IFNAME" ? ifname : part))
      .join("/")}`;
    try {
      writeInNetns(netnsPath, path, value);
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      const why =
        failure.code === "ENOENT"
          ? `${path} is not a sysctl file`
          : `unable to write to '${path}': write ${path}: ${wordsOf(failure)}`;
      throw new Unknown(`failed to add interface ${veth || ifname} to sandbox: ${why}`, { cause: error });
    }
  }
}
