import { readFileSync, writeFileSync } from "node:fs";
import { type ContainerPort, formatPort, type HostConfig, readPorts } from "@longshore/docker-api";
import { InvalidArgument, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import type { ContainerFinder } from "../model/store.ts";

/**
 * Links of Docker's first years (`--link`) on the default bridge: names in the hosts file and
 * variables in the environment. In user-defined networks a link is a name that DNS answers
 * (`EndpointSettings.Links`), which the network package sees to.
 *
 * A container's record keeps them as `<id of the other>:<alias>`, so that they survive renames.
 */
interface Link {
  child: Container;
  alias: string;
}

/** `name:alias`; without an alias the name is one. */
function parseLink(text: string): { name: string; alias: string } {
  const [name = "", given, ...more] = text.split(":");
  const alias = given === undefined || given === "" ? name : given;
  if (more.length > 0 || text === "")
    throw new InvalidArgument(text === "" ? "empty string specified for links" : `bad format for links: ${text}`);
  // What inspect shows of a link, `/db:/web/alias`, is accepted as well.
  return { name: name.replace(/^\//, ""), alias: alias.slice(alias.lastIndexOf("/") + 1) };
}

function isUserDefined(mode: string): boolean {
  return !["", "default", "bridge", "none", "host"].includes(mode) && !mode.startsWith("container:");
}

function find(context: Context, name: string): Container {
  try {
    return context.store.get(name);
  } catch (error) {
    // A wrong link is the request's fault: 404 would say that the image is missing.
    const reason = name === "" ? 'invalid name or ID supplied: ""' : messageOf(error);
    throw new InvalidArgument(`could not get container for ${name}: ${reason}`, { cause: error });
  }
}

/** The one whose network a container really has. */
function networkOwner(context: Context, container: Container): Container {
  const mode = container.hostConfig.NetworkMode;
  if (mode === "host")
    throw new InvalidArgument(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  return mode.startsWith("container:")
    ? networkOwner(context, find(context, mode.slice("container:".length)))
    : container;
}

/**
 * Replaces the names in a new container's links by ids; on user-defined networks Docker ignores links here.
 * @throws InvalidArgument with Docker's messages
 */
export function resolveLinks(context: Context, hostConfig: HostConfig): void {
  const links = hostConfig.Links ?? [];
  if (links.length === 0 || isUserDefined(hostConfig.NetworkMode)) {
    hostConfig.Links = null;
    return;
  }
  const byAlias = new Map<string, string>();
  for (const { name, alias } of links.map(parseLink)) {
    const { id } = networkOwner(context, find(context, name));
    // The first that asked for an alias has it; the real engine says so in its log alone.
    if (!byAlias.has(alias)) byAlias.set(alias, id);
  }
  hostConfig.Links = [...byAlias].map(([alias, id]) => `${id}:${alias}`);
}

/** Docker's own records link by name: from now on they do so by id. */
export function adoptLinks(context: Context): void {
  for (const { hostConfig } of context.store.list()) {
    hostConfig.Links =
      hostConfig.Links?.map((link) => {
        const { name, alias } = parseLink(link);
        return context.store.isTaken(name) ? `${context.store.get(name).id}:${alias}` : link;
      }) ?? null;
  }
}

/** A container's links to those that still exist. */
function linksOf(context: Context, container: Container): Link[] {
  return (container.hostConfig.Links ?? []).flatMap((link) => {
    const { name, alias } = parseLink(link);
    const child = context.store.byId(name);
    return child === undefined ? [] : [{ child, alias }];
  });
}

/** As inspect shows them: `/db:/web/alias`. */
export function showLinks(context: Context, container: Container): string[] | null {
  const links = linksOf(context, container).map(({ child, alias }) => `/${child.name}:/${container.name}/${alias}`);
  return links.length === 0 ? null : links.sort();
}

/** The further names that links give to containers, by id: `/web/alias`. */
export function namesByLinks(context: Context): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const parent of context.store.all()) {
    for (const { child, alias } of linksOf(context, parent))
      names.set(child.id, [...(names.get(child.id) ?? []), `/${parent.name}/${alias}`].sort());
  }
  return names;
}

/** The links that a start has to serve. @throws Unknown when a linked container does not run, in Docker's words */
function liveLinks(context: Context, container: Container): (Link & { address: string })[] {
  if (container.record.EndpointRequests["bridge"] === undefined) return [];
  return linksOf(context, container).map(({ child, alias }) => {
    if (!child.record.State.Running)
      throw new Unknown(`Cannot link to a non running container: /${child.name} AS /${container.name}/${alias}`);
    const address = child.record.NetworkSettings.Networks["bridge"]?.IPAddress ?? "";
    if (address === "") throw new Unknown(`container ${child.id} not attached to default bridge network`);
    return { child, alias, address };
  });
}

function hostNames({ child, alias }: Link): string {
  return `${alias} ${child.record.Config.Hostname}${alias === child.name ? "" : ` ${child.name}`}`;
}

/** Entries for the hosts file, in the form of `--add-host`. @throws Unknown, see `liveLinks` */
export function linkedHosts(context: Context, container: Container): string[] {
  return liveLinks(context, container).map((link) => `${hostNames(link)}:${link.address}`);
}

/** The exposed ports of those that a container is linked to. @throws Unknown, see `liveLinks` */
export function linkedPorts(context: Context, container: Container): { containerId: string; ports: string[] }[] {
  return liveLinks(context, container).map(({ child }) => ({
    containerId: child.id,
    ports: exposedPorts(child).map(formatPort),
  }));
}

function exposedPorts(container: Container): ContainerPort[] {
  const ports = readPorts(Object.keys(container.record.Config.ExposedPorts ?? {}));
  return ports.sort((a, b) => a.containerPort - b.containerPort || (a.proto === "tcp" ? -1 : 1));
}

/** The last port of a run without gaps that begins at `first`. */
function endOfRun(ports: readonly ContainerPort[], first: ContainerPort): ContainerPort {
  const next = ports.find(
    ({ containerPort, proto }) => containerPort === first.containerPort + 1 && proto === first.proto,
  );
  return next === undefined ? first : endOfRun(ports, next);
}

function portVariables(prefix: string, address: string, ports: readonly ContainerPort[]): string[] {
  const url = ({ containerPort, proto }: ContainerPort): string => `${proto}://${address}:${containerPort}`;
  const [first] = ports;
  const lines = first === undefined ? [] : [`${prefix}_PORT=${url(first)}`];
  let inRun = 0;
  for (const port of ports) {
    const name = `${prefix}_PORT_${port.containerPort}_${port.proto.toUpperCase()}`;
    const end = endOfRun(ports, port);
    if (inRun === 0 && end !== port) {
      lines.push(
        `${name}_START=${url(port)}`,
        `${name}_PORT_START=${port.containerPort}`,
        `${name}_END=${url(end)}`,
        `${name}_PORT_END=${end.containerPort}`,
      );
      inRun = end.containerPort - port.containerPort;
    } else if (inRun > 0) inRun--;
    lines.push(
      `${name}=${url(port)}`,
      `${name}_ADDR=${address}`,
      `${name}_PORT=${port.containerPort}`,
      `${name}_PROTO=${port.proto}`,
    );
  }
  return lines;
}

/** Variables that nobody means to share: images set them. */
const unshared = new Set(["HOME", "PATH"]);

/** The variables that tell a container where its linked ones are. @throws Unknown, see `liveLinks` */
export function linkEnvironment(context: Context, container: Container): string[] {
  return liveLinks(context, container).flatMap(({ child, alias, address }) => {
    const prefix = alias.toUpperCase().replaceAll("-", "_");
    const own = (child.record.Config.Env ?? []).filter(
      (variable) => variable.includes("=") && !unshared.has(variable.split("=", 1)[0] ?? ""),
    );
    return [
      ...portVariables(prefix, address, exposedPorts(child)),
      `${prefix}_NAME=/${container.name}/${alias}`,
      ...own.map((variable) => `${prefix}_ENV_${variable}`),
    ];
  });
}

/** Writes a container's new address into the hosts files of the running ones that link to it, in place, since they are mounted. */
export function tellParents(context: Context, child: Container): void {
  const address = child.record.NetworkSettings.Networks["bridge"]?.IPAddress ?? "";
  if (address === "") return;
  for (const parent of context.store.all()) {
    if (!parent.alive || parent.record.HostsPath === "") continue;
    for (const link of linksOf(context, parent).filter((each) => each.child === child)) {
      const before = readFileSync(parent.record.HostsPath, "utf8");
      const names = hostNames(link);
      const after = before
        .split("\n")
        .map((line) => (line.endsWith(`\t${names}`) ? `${address}\t${names}` : line))
        .join("\n");
      if (after !== before) writeFileSync(parent.record.HostsPath, after);
    }
  }
}

/** Takes the link `parent/alias` away, which leaves both containers. @throws NotFound, Conflict with Docker's messages */
export async function removeLink(containers: ContainerFinder, name: string): Promise<void> {
  const bare = name.replace(/^\//, "");
  const slash = bare.indexOf("/");
  const child = containers.get(name);
  if (slash < 0) throw new Unknown("Conflict, cannot remove the default link name of the container");
  const parent = containers.get(bare.slice(0, slash));
  const alias = bare.slice(slash + 1);
  await parent.lock.run(async () => {
    const links = parent.hostConfig.Links ?? [];
    const left = links.filter((link) => link !== `${child.id}:${alias}`);
    if (left.length === links.length) throw new NotFound(`No such container: ${name}`);
    parent.hostConfig.Links = left.length === 0 ? null : left;
    await parent.saveAll();
  });
}
