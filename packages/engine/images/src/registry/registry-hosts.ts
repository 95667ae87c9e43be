import { writeHostsDir, type RegistryHost } from "@longshore/remotes";
import type { ImagesContext } from "../model/context.ts";

/** Milliseconds for a registry to answer a look at it. */
const probeMs = 10_000;

async function answers(
  context: ImagesContext,
  { host, path, tls }: RegistryHost,
  scheme: "https" | "http",
): Promise<boolean> {
  const dispatcher = context.connections.to(host, scheme === "https" ? tls : undefined);
  try {
    const { body } = await dispatcher.request({
      origin: `${scheme}://${host}`,
      path: `${path}/`,
      method: "GET",
      signal: AbortSignal.timeout(probeMs),
    });
    await body.dump();
    return true;
  } catch (error) {
    context.log.debug({ err: error, registry: `${scheme}://${host}` }, "a registry does not answer");
    return false;
  }
}

/** How long it is taken for granted that a registry speaks what it spoke, in milliseconds. */
const settledMs = 30_000;
/** When which registries were last seen to speak plain HTTP alone, by address, for each set of connections. */
const plainSeen = new WeakMap<object, Map<string, number>>();

/**
 * A registry that may speak plain HTTP, with the scheme that it does speak; uploads go to one host only. A look
 * costs a TLS handshake that fails, so what was found is kept for a while.
 */
async function settleScheme(context: ImagesContext, host: RegistryHost): Promise<RegistryHost> {
  if (host.plainFallback !== true) return host;
  const { tls, ...plain } = { ...host, plainFallback: false };
  const secure = tls === undefined ? plain : { ...plain, tls };
  const seen = plainSeen.get(context.connections) ?? new Map<string, number>();
  plainSeen.set(context.connections, seen);
  const address = `${host.host}${host.path}`;
  const isKnown = performance.now() - (seen.get(address) ?? Number.NEGATIVE_INFINITY) < settledMs;
  if (!isKnown && ((await answers(context, host, "https")) || !(await answers(context, host, "http")))) return secure;
  if (!isKnown) seen.set(address, performance.now());
  return { ...plain, scheme: "http" };
}

/** Tells containerd, in the folder that transfers name, where a registry is by the engine's configuration. */
export async function publishHosts(context: ImagesContext, domain: string): Promise<void> {
  const hosts = await context.registryHosts(domain);
  await writeHostsDir(context.hostsDir, domain, await Promise.all(hosts.map((host) => settleScheme(context, host))));
}
