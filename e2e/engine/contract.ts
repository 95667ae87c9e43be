import { copyFileSync, mkdirSync, mkdtempSync, rmSync, rmdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { connectContainerd } from "@longshore/containerd-client/connect";
import type { ContractSubject } from "@longshore/containerd-client/testing";
import { Channel } from "@longshore/grpc";
import { must } from "../host/exec.ts";
import { removeCgroupParents } from "../host/state.ts";

const oci = (kind: string, document: object) => ({
  typeUrl: `types.containerd.io/opencontainers/runtime-spec/1/${kind}`,
  value: Buffer.from(JSON.stringify(document)),
});

const processOf = (args: readonly string[]) => ({
  args,
  cwd: "/",
  env: ["PATH=/bin"],
  user: { uid: 0, gid: 0 },
});

/** A running containerd for the contract of its clients. @param namespace of no one else: runc's state is the host's */
export async function contractSubject(socket: string, namespace: string): Promise<ContractSubject> {
  const root = mkdtempSync("/tmp/contract-");
  for (const folder of ["bin", "proc"]) mkdirSync(join(root, folder));
  copyFileSync((await must("which", ["busybox"])).trim(), join(root, "bin/busybox"));
  for (const applet of ["sh", "sleep", "true", "false"]) symlinkSync("busybox", join(root, "bin", applet));
  const channel = new Channel(socket);
  const client = connectContainerd(channel, namespace);
  await client.namespaces.create({ namespace: { name: namespace } });
  return {
    client,
    namespace,
    snapshotter: "overlayfs",
    runtime: "io.containerd.longshore.v2",
    spec: (id, args) =>
      oci("Spec", {
        ociVersion: "1.2.0",
        process: processOf(args),
        root: { path: "rootfs" },
        mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
        linux: {
          cgroupsPath: `/${namespace}/${id}`,
          namespaces: ["pid", "mount", "ipc", "uts", "network"].map((type) => ({ type })),
        },
      }),
    process: (args) => oci("Process", processOf(args)),
    rootfs: () => [{ type: "bind", source: root, options: ["rbind", "rw"] }],
    async close() {
      await client.leases.create({ id: "close" });
      await client.leases.delete({ id: "close", sync: true });
      await client.namespaces.delete({ name: namespace });
      channel.close();
      removeCgroupParents(namespace);
      rmSync(root, { recursive: true });
      rmdirSync(join("/run/containerd/runc", namespace));
    },
  };
}
