import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import { rootCertificates } from "node:tls";
import { type Proxies, type TlsOptions, isLoopback } from "../hosts/host.ts";

/** Long enough for a registry that looks something up in slow storage. */
const answerTimeoutMs = 60_000;
const connectTimeoutMs = 30_000;

/** What the head of a registry's answer may take: cookies and policies of proxies before it can be long. */
export const maxHeadBytes = 1 << 20;

/** Connections to registries, kept open and shared by all that is fetched with the same TLS material. */
export class Connections implements AsyncDisposable {
  readonly #agents = new Map<string, Dispatcher>();

  /** The dispatcher for a host; proxies, those of the environment unless others are given, are used but for this machine itself. */
  to(host: string, tls: TlsOptions | undefined, proxies?: Proxies): Dispatcher {
    const direct = isLoopback(host);
    const key = JSON.stringify([direct, tls ?? {}, direct ? undefined : proxies]);
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const connect = {
      timeout: connectTimeoutMs,
      rejectUnauthorized: tls?.skipVerify !== true,
      ...(tls?.ca === undefined ? {} : { ca: [...rootCertificates, ...tls.ca] }),
      ...(tls?.certificates === undefined
        ? {}
        : { cert: tls.certificates.map(({ cert }) => cert), key: tls.certificates.map(({ key: pem }) => pem) }),
    };
    const options: Agent.Options = {
      connect,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      maxHeaderSize: maxHeadBytes,
      allowH2: false,
    };
    const agent = direct
      ? new Agent(options)
      : new EnvHttpProxyAgent({
          ...options,
          ...(proxies === undefined ? {} : { httpProxy: proxies.http, httpsProxy: proxies.https, noProxy: proxies.no }),
          requestTls: connect,
        });
    this.#agents.set(key, agent);
    return agent;
  }

  /** Breaks every connection. */
  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
