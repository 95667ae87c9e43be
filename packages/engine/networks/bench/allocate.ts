import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkController, type SandboxRequest } from "../src/index.ts";
import { plainOptions } from "../src/testing/plain-options.ts";

/** Times `allocate` and `release`, for a container without ports, with one, and in a user-defined network. */
const rounds = Number(process.argv[2] ?? 30);
const root = mkdtempSync(join(tmpdir(), "lsnet-bench-"));
const options = plainOptions(root, {
  bridge: "lsbench0",
  ipForwardNoDrop: true,
  defaultAddressPools: [{ base: "10.215.0.0/16", size: 24 }],
});
execFileSync("ip", ["link", "add", "lsbench0", "type", "bridge"]);
const controller = await NetworkController.open(options);
await controller.networks.create({ Name: "user" });

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]?.toFixed(1);

async function time(name: string, more: Partial<SandboxRequest>): Promise<void> {
  const containerDir = join(root, "container");
  mkdirSync(containerDir, { recursive: true });
  const allocate: number[] = [];
  const release: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const containerId = i.toString(16).padStart(64, "a");
    const base = {
      containerId,
      containerName: `c${i}`,
      hostname: "c",
      domainname: "",
      networkMode: "bridge",
      endpoints: {},
      portBindings: {},
    };
    const rest = {
      publishAllPorts: false,
      exposedPorts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
      containerDir,
    };
    const start = performance.now();
    await controller.sandboxes.allocate({ ...base, ...rest, ...more });
    const middle = performance.now();
    await controller.sandboxes.release(containerId);
    allocate.push(middle - start);
    release.push(performance.now() - middle);
  }
  console.log(`${name}: allocate ${median(allocate)} ms, release ${median(release)} ms (medians of ${rounds})`);
}

await time("none", { networkMode: "none" });
await time("bridge", {});
await time("bridge with a port", { portBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] } });
await time("user-defined network", { networkMode: "user" });
await controller.networks.remove("user");
await controller.close();
execFileSync("ip", ["link", "delete", "lsbench0"]);
rmSync(root, { recursive: true });
