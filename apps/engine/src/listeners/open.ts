import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "@longshore/logger";
import type { AuditLog } from "../access/audit/audit.ts";
import { bindPolicy } from "../access/socket-policy.ts";
import type { Config } from "../config/config.ts";
import { activatedSockets } from "./activation.ts";
import { exposure } from "./exposure.ts";
import { type Listener, type ListenSettings, listen } from "./listen.ts";
import { loadTls } from "./tls.ts";

/**
 * What can be told of the addresses before anything is touched.
 * @param activated whether the sockets that a service manager hands over must be there
 * @throws InvalidArgument, with dockerd's text
 */
export function verifyListeners({ hosts, tls }: Config, { activated }: { activated: boolean }): void {
  if (tls !== undefined) loadTls(tls);
  // Whoever only looks at the configuration has no sockets of a service manager.
  if (!activated) return;
  for (const address of hosts) if (address.scheme === "fd") activatedSockets(address.name);
}

/**
 * Opens all addresses of the API: those of `-H`, and the further sockets with their policies.
 * @throws InvalidArgument, Unavailable when one cannot be opened
 */
export async function openListeners(
  config: Config,
  route: RequestListener,
  audit: AuditLog,
  log: Logger,
): Promise<Listener[]> {
  const tls = config.tls === undefined ? undefined : loadTls(config.tls);
  const listeners: Listener[] = [];
  const add = async (
    ...[address, settings]: [Parameters<typeof listen>[0], Omit<ListenSettings, "log">]
  ): Promise<void> => {
    const where = address.scheme === "unix" ? address.path : address.scheme;
    const connected = (socket: Socket): void => {
      audit.connected(socket, where);
      settings.connected?.(socket);
    };
    for (const listener of await listen(address, route, { ...settings, connected, log })) {
      listeners.push(listener);
      log.info(`API listen on ${listener.address}`);
    }
  };
  // First, so that all are there once the engine's own answers.
  for (const { path, group, mode, policy } of config.access.sockets) {
    await add({ scheme: "unix", path }, { group, mode, connected: (socket) => bindPolicy(socket, policy) });
  }
  for (const address of config.hosts) {
    const warning = exposure(address, config.tls);
    if (warning !== undefined) log.warn(warning);
    await add(address, { group: config.group, tls });
  }
  return listeners;
}
