import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Annotations that put several tasks under one shim, the first that is set counts. */
const groupAnnotations = ["io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"];

/** The id that names the shim of a task: its group, or itself. */
export function groupOf(bundle: string, id: string): string {
  const { annotations = {} } = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as {
    annotations?: Record<string, string>;
  };
  return groupAnnotations.map((key) => annotations[key]).find(Boolean) ?? id;
}

/** Where shim sockets lie, unless containerd names another folder. */
export function socketFolder(): string {
  if (process.getuid?.() === 0) return "/run/containerd/s";
  const runtime = process.env["XDG_RUNTIME_DIR"];
  return runtime === undefined ? `/tmp/containerd-s-${process.getuid?.()}` : join(runtime, "containerd/s");
}

/** The file name of a group's socket: a digest, since ids may be longer than a socket's path. */
export async function socketName(address: string, namespace: string, group: string): Promise<string> {
  // not by node:crypto, which takes half a megabyte as long as the process lives
  return Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(join(address, namespace, group)))).toString(
    "hex",
  );
}
