import { readFile } from "node:fs/promises";
import { InvalidArgument } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";

/** What a `.json` file says about TLS: paths of PEM files. */
interface TlsFiles {
  InsecureSkipVerify?: boolean;
  CAFile?: string;
  CertFile?: string;
  KeyFile?: string;
}

/** TLS towards a plugin: PEM texts. */
interface PluginTls {
  rejectUnauthorized: boolean;
  ca?: string;
  cert?: string;
  key?: string;
}

/** Where a plugin listens. */
export type PluginAddress =
  | { socketPath: string }
  | { host: string; port: number; path: string; tls: PluginTls | undefined };

async function readTls(files: TlsFiles): Promise<PluginTls> {
  const read = async (path: string | undefined): Promise<string | undefined> =>
    path ? readFile(path, "utf8") : undefined;
  const [ca, cert, key] = await Promise.all([read(files.CAFile), read(files.CertFile), read(files.KeyFile)]);
  return {
    rejectUnauthorized: files.InsecureSkipVerify !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function parseAddress(text: string, tls: PluginTls | undefined): PluginAddress {
  if (!URL.canParse(text)) throw new InvalidArgument(`parse ${JSON.stringify(text)}: not the address of a plugin`);
  const url = new URL(text);
  if (url.protocol === "unix:") return { socketPath: decodeURIComponent(url.pathname) };
  if (!["tcp:", "http:", "https:"].includes(url.protocol))
    throw new InvalidArgument(`unknown protocol: ${url.protocol.slice(0, -1)}`);
  const secure = url.protocol === "https:" || tls !== undefined;
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port,
    path: url.pathname.replace(/\/$/, ""),
    tls: secure ? (tls ?? { rejectUnauthorized: true }) : undefined,
  };
}

/** The address in a `.spec` file, which is one URL. @throws InvalidArgument for what is none */
export async function readSpec(path: string): Promise<PluginAddress> {
  return parseAddress((await readFile(path, "utf8")).trim(), undefined);
}

/** The address in a `.json` file: `{ "Name", "Addr", "TLSConfig" }`. @throws InvalidArgument, SyntaxError */
export async function readJson(path: string): Promise<PluginAddress> {
  const { Addr, TLSConfig } = parsePlain(await readFile(path, "utf8")) as {
    Addr?: string;
    TLSConfig?: TlsFiles | null;
  };
  return parseAddress(Addr ?? "", TLSConfig ? await readTls(TLSConfig) : undefined);
}
