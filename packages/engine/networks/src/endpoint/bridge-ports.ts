import { run } from "../run.ts";

/** The host's sides of pairs that are ports of these bridges. */
export async function bridgePorts(bridges: readonly string[]): Promise<string[]> {
  const links = JSON.parse((await run("ip", ["-j", "link", "show", "type", "veth"])) || "[]") as {
    ifname?: string;
    master?: string;
  }[];
  return links.flatMap(({ ifname, master }) =>
    ifname !== undefined && master !== undefined && bridges.includes(master) ? [ifname] : [],
  );
}
