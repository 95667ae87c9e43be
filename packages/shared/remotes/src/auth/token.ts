import { InvalidArgument, Unauthenticated } from "@longshore/errdefs";
import { parsePlain } from "@longshore/go-json";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { registryError } from "../http/errors.ts";

/** A registry token and when it ends, in milliseconds since the epoch. */
export interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

/** One plain exchange with the token service; nothing is retried or followed. */
export type TokenExchange = (
  method: "GET" | "POST",
  url: URL,
  headers: Record<string, string>,
  body?: string,
) => Promise<{ status: number; statusText: string; body: string }>;

/** What the registries' token protocol assumes when the answer names no time. */
const defaultLifetimeSeconds = 60;
/** A token is dropped a little before its end, so that it does not expire under way. */
const marginMs = 5_000;
const clientId = "longshore";

function realmOf(challenge: Challenge, overTls: boolean): URL {
  const realm = challenge.parameters["realm"] ?? "";
  if (!URL.canParse(realm)) throw new InvalidArgument(`invalid realm "${realm}" in the registry's bearer challenge`);
  const url = new URL(realm);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new InvalidArgument(`unsupported scheme in realm "${realm}"`);
  // A registry behind TLS must not talk a client into sending its password in the clear.
  if (overTls && url.protocol !== "https:")
    throw new InvalidArgument(`refusing to send credentials to the plain HTTP realm "${realm}"`);
  return url;
}

function readToken(body: string, now: number): Token {
  let answer: { token?: unknown; access_token?: unknown; expires_in?: unknown };
  try {
    answer = (parsePlain(body) as typeof answer | null) ?? {};
  } catch (error) {
    throw new Unauthenticated("the authorization server's answer is not valid JSON", { cause: error });
  }
  const value = typeof answer.token === "string" && answer.token !== "" ? answer.token : answer.access_token;
  if (typeof value !== "string" || value === "")
    throw new Unauthenticated("authorization server did not include a token in the response");
  const seconds =
    typeof answer.expires_in === "number"
      ? Math.max(answer.expires_in, defaultLifetimeSeconds)
      : defaultLifetimeSeconds;
  return { value, expiresAt: now + seconds * 1000 - marginMs };
}

/**
 * Gets a token for `scopes` from the service that a bearer challenge names: with GET and Basic
 * credentials, or with POST (OAuth2) for identity tokens and services that know no GET.
 * @throws RegistryError with the service's refusal
 */
export async function fetchToken(
  exchange: TokenExchange,
  challenge: Challenge,
  scopes: readonly string[],
  credentials: Credentials,
  overTls: boolean,
): Promise<Token> {
  const secret = credentials.kind === "basic" || credentials.kind === "identityToken";
  const realm = realmOf(challenge, overTls && secret);
  const service = challenge.parameters["service"];
  const now = Date.now();

  if (credentials.kind !== "identityToken") {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    url.searchParams.set("client_id", clientId);
    const headers: Record<string, string> = {};
    if (credentials.kind === "basic") {
      url.searchParams.set("account", credentials.username);
      headers["authorization"] = basicAuthorization(credentials.username, credentials.password);
    }
    const answer = await exchange("GET", url, headers);
    if (answer.status === 200) return readToken(answer.body, now);
    const postOnly = answer.status === 404 || answer.status === 405;
    if (!postOnly || credentials.kind !== "basic") throw registryError({ method: "GET", url: url.href, ...answer });
  }

  const form = new URLSearchParams({ client_id: clientId, scope: scopes.join(" ") });
  if (service !== undefined) form.set("service", service);
  if (credentials.kind === "identityToken") {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", credentials.token);
  } else if (credentials.kind === "basic") {
    form.set("grant_type", "password");
    form.set("username", credentials.username);
    form.set("password", credentials.password);
  }
  const answer = await exchange(
    "POST",
    realm,
    { "content-type": "application/x-www-form-urlencoded" },
    form.toString(),
  );
  if (answer.status !== 200) throw registryError({ method: "POST", url: realm.href, ...answer });
  return readToken(answer.body, now);
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
