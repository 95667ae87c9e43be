import type { ContainerdClient } from "@longshore/containerd-client";

/** What containerd has set aside as damaged; a stock one does not say. */
export async function containerdDamage(containerd: ContainerdClient): Promise<string[]> {
  const { plugins } = await containerd.introspection.plugins({ filters: ['type=="io.containerd.metadata.v1"'] });
  return plugins.flatMap(({ exports }) => exports["damage"]?.split("\n") ?? []);
}
