import type { SandboxRecord } from "../records/records.ts";

/** The names by which others in a user-defined network find a container. */
export function dnsNames(
  sandbox: Pick<SandboxRecord, "containerId" | "containerName" | "hostname">,
  aliases: readonly string[],
): string[] {
  const short = sandbox.containerId.slice(0, 12);
  return [...new Set([sandbox.containerName, ...aliases, short, sandbox.hostname])].filter((name) => name !== "");
}
