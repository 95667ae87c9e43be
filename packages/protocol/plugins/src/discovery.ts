import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type PluginAddress, readJson, readSpec } from "./address.ts";

/** Where plugins announce themselves. */
export interface PluginDirs {
  /** Hold `NAME.sock` or `NAME/NAME.sock`. */
  sockets: readonly string[];
  /** Hold `NAME.spec` or `NAME.json`, also in a folder `NAME`. */
  specs: readonly string[];
}

/** Docker's places. */
export const dockerPluginDirs: PluginDirs = {
  sockets: ["/run/docker/plugins"],
  specs: ["/etc/docker/plugins", "/usr/lib/docker/plugins"],
};

const readers: Record<string, (path: string) => Promise<PluginAddress>> = { ".spec": readSpec, ".json": readJson };

async function kindOf(path: string): Promise<"socket" | "file" | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isSocket()) return "socket";
  return found?.isFile() ? "file" : undefined;
}

function candidates(dir: string, name: string, extension: string): string[] {
  return [join(dir, `${name}${extension}`), join(dir, name, `${name}${extension}`)];
}

/** A name is one path element: what a request names must not lead to other folders. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

/** Looks a plugin up by name: sockets first, then files. @returns undefined when there is none; @throws what is wrong with its file */
export async function findPlugin(dirs: PluginDirs, name: string): Promise<PluginAddress | undefined> {
  if (!isName(name)) return undefined;
  for (const path of dirs.sockets.flatMap((dir) => candidates(dir, name, ".sock"))) {
    if ((await kindOf(path)) === "socket") return { socketPath: path };
  }
  for (const dir of dirs.specs) {
    for (const [extension, read] of Object.entries(readers)) {
      for (const path of candidates(dir, name, extension)) if ((await kindOf(path)) === "file") return read(path);
    }
  }
  return undefined;
}

async function namesIn(dir: string, extensions: readonly string[]): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  const names: string[] = [];
  for (const entry of entries) {
    const extension = extensions.find((suffix) => entry.name.endsWith(suffix));
    if (extension !== undefined && !entry.isDirectory()) names.push(entry.name.slice(0, -extension.length));
    if (!entry.isDirectory()) continue;
    const inner = await readdir(join(dir, entry.name)).catch((): string[] => []);
    if (extensions.some((suffix) => inner.includes(`${entry.name}${suffix}`))) names.push(entry.name);
  }
  return names;
}

/** The names of all plugins that announce themselves. */
export async function scanPlugins(dirs: PluginDirs): Promise<string[]> {
  const found = await Promise.all([
    ...dirs.sockets.map((dir) => namesIn(dir, [".sock"])),
    ...dirs.specs.map((dir) => namesIn(dir, Object.keys(readers))),
  ]);
  return [...new Set(found.flat())].sort();
}
