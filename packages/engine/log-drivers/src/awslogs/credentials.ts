import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Unavailable } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import { ask, metadata } from "./metadata.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Milliseconds since 1970; undefined for ever. */
  expires?: number;
}

/** Where the service of a task's credentials listens. */
const taskHost = "http://169.254.170.2";
/** They are asked for anew so long before they end, in milliseconds. */
const earlyMs = 300_000;

function fromJson(text: string): Credentials {
  const found = parsePlain(text) as Record<string, unknown>;
  const { AccessKeyId, Expiration, SecretAccessKey, Token } = found;
  if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string")
    throw new Unavailable("no credentials in what the endpoint says");
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === "string" ? { sessionToken: Token } : {}),
    ...(typeof Expiration === "string" ? { expires: Date.parse(Expiration) } : {}),
  };
}

function fromKeys(
  id: string | undefined,
  secret: string | undefined,
  token: string | undefined,
): Credentials | undefined {
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) };
}

/** A profile of the shared file: lines `key = value` below `[profile]`. */
async function fromFile(environment: NodeJS.ProcessEnv): Promise<Credentials | undefined> {
  const path = environment["AWS_SHARED_CREDENTIALS_FILE"] ?? join(homedir(), ".aws/credentials");
  const text = await readFile(path, "utf8").catch(() => "");
  const keys = new Map<string, string>();
  let section = "";
  for (const line of text.split("\n")) {
    const [, name] = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line) ?? [];
    section = name ?? section;
    const [, key, value] = /^\s*([^=#;\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && section === (environment["AWS_PROFILE"] ?? "default")) keys.set(key, value ?? "");
  }
  return fromKeys(keys.get("aws_access_key_id"), keys.get("aws_secret_access_key"), keys.get("aws_session_token"));
}

async function find(
  endpoint: string | undefined,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Credentials> {
  if (endpoint !== undefined) return fromJson(await ask(`${taskHost}${endpoint}`, signal));
  const named =
    fromKeys(
      environment["AWS_ACCESS_KEY_ID"],
      environment["AWS_SECRET_ACCESS_KEY"],
      environment["AWS_SESSION_TOKEN"],
    ) ?? (await fromFile(environment));
  if (named !== undefined) return named;
  const relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  if (relative !== undefined) return fromJson(await ask(`${taskHost}${relative}`, signal));
  const roles = "meta-data/iam/security-credentials/";
  const role = (await metadata(roles, signal)).split("\n", 1)[0] ?? "";
  return fromJson(await metadata(`${roles}${role}`, signal));
}

/**
 * Who signs: the endpoint of the option, else the environment, the shared file, the task's or the machine's role, as AWS' own
 * clients look. What ends is asked for anew in time.
 */
export class CredentialSource {
  readonly #endpoint: string | undefined;
  readonly #environment: NodeJS.ProcessEnv;
  #known: Credentials | undefined;

  constructor(endpoint: string | undefined, environment: NodeJS.ProcessEnv = process.env) {
    this.#endpoint = endpoint;
    this.#environment = environment;
  }

  /** @throws Unavailable when there are none */
  async get(signal: AbortSignal): Promise<Credentials> {
    if (this.#known === undefined || (this.#known.expires ?? Number.POSITIVE_INFINITY) < Date.now() + earlyMs)
      this.#known = await find(this.#endpoint, this.#environment, signal);
    return this.#known;
  }
}
