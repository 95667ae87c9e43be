import { Registry } from "@longshore/remotes";
import { credentialsOf } from "./auth.ts";
import type { ImagesContext, RegistryCall } from "../model/context.ts";

/** A client of registries for what needs no transfer: tags, descriptors. */
export function registryClient(context: ImagesContext, call: RegistryCall): Registry {
  return new Registry({
    hosts: context.registryHosts,
    connections: context.connections,
    userAgent: context.userAgent,
    headers: call.headers,
    log: context.log,
    credentials: () => Promise.resolve(credentialsOf(call.auth)),
  });
}
