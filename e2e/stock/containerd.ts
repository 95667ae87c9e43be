import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository, tool } from "../engine/tools.ts";

/** The stock one serves CRI by default, which wants what is no part of these tests. */
export const stockConfig = `version = 3
disabled_plugins = ["io.containerd.grpc.v1.cri"]
`;

/** The stock containerd as a service of an engine, with its shims and ours on its path. @param config is written */
export function stockContainerd(config: string): { command: string; args: string[]; env: Record<string, string> } {
  writeFileSync(config, stockConfig);
  return { command: tool("containerd"), args: ["--config", config], env: { PATH: shimPath("stock") } };
}

/** Where each containerd finds its shims. */
export function shimPath(kind: "ours" | "stock"): string {
  return [...(kind === "stock" ? [tool(".")] : []), join(repository, "apps/shim/build"), process.env["PATH"]].join(":");
}
