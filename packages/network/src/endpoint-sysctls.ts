import { Unknown } from "@longshore/errdefs";
import type { EndpointRecord } from "./records.ts";
import { CommandFailed, run } from "./run.ts";

/** The words of the errors that writing to a sysctl's file gives. */
const reasons = ["invalid argument", "permission denied", "operation not permitted", "read-only file system"];

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
    .map((sysctl) => `unrecognised network interface sysctl '${sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`);
}

function refusal(path: string, stderr: string): string {
  const reason = reasons.find((words) => stderr.toLowerCase().endsWith(words)) ?? stderr;
  return `unable to write to '${path}': write ${path}: ${reason}`;
}

/** Sets an endpoint's own sysctls in its namespace, where its link is already. @throws Unknown for one that there is not */
export async function applySysctls({ settings, ifname, veth }: EndpointRecord, netnsPath: string): Promise<void> {
  for (const sysctl of listed(settings.DriverOpts)) {
    const [name = "", value = ""] = sysctl.split(/=(.*)/s);
    const path = `/proc/sys/${name.split(".").map((part) => (part.toUpperCase() === "IFNAME" ? ifname : part)).join("/")}`;
    try {
      await run("nsenter", [`--net=${netnsPath}`, "tee", path], value);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      const missing = /no such file/i.test(error.stderr);
      throw new Unknown(`failed to add interface ${veth || ifname} to sandbox: ${missing ? `${path} is not a sysctl file` : refusal(path, error.stderr.trim())}`, { cause: error });
    }
  }
}
