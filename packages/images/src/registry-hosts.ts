import { writeHostsDir, type RegistryHost } from "@longshore/remotes";
import type { ImagesContext } from "./context.ts";

/** Milliseconds for a registry to answer a look at it. */
const probeMs = 10_000;

async function answers(context: ImagesContext, { host, path, tls }: RegistryHost, scheme: "https" | "http"): Promise<boolean> {
  const dispatcher = context.connections.to(host, scheme === "https" ? tls : undefined);
  try {
    const { body } = await dispatcher.request({ origin: `${scheme}://${host}`, path: `${path}/`, method: "GET", signal: AbortSignal.timeout(probeMs) });
    await body.dump();
    return true;
  } catch (error) {
    context.log.debug({ err: error, registry: `${scheme}://${host}` }, "a registry does not answer");
    return false;
  }
}

/** A registry that may speak plain HTTP, with the scheme that it does speak; uploads go to one host only. */
async function settleScheme(context: ImagesContext, host: RegistryHost): Promise<RegistryHost> {
  if (host.plainFallback !== true) return host;
  const { tls, ...plain } = { ...host, plainFallback: false };
  const secure = tls === undefined ? plain : { ...plain, tls };
  if ((await answers(context, host, "https")) || !(await answers(context, host, "http"))) return secure;
  return { ...plain, scheme: "http" };
}

/** Tells containerd, in the folder that transfers name, where a registry is by the engine's configuration. */
export async function publishHosts(context: ImagesContext, domain: string): Promise<void> {
  const hosts = await context.registryHosts(domain);
  await writeHostsDir(context.hostsDir, domain, await Promise.all(hosts.map((host) => settleScheme(context, host))));
}
