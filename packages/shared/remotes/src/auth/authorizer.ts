import { Unauthenticated } from "@longshore/errdefs";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credentials, CredentialsCallback } from "./credentials.ts";
import { type Token, type TokenExchange, basicAuthorization, fetchToken } from "./token.ts";

export interface AuthorizerOptions {
  readonly host: string;
  readonly credentials: CredentialsCallback;
  readonly exchange: TokenExchange;
  readonly overTls: () => boolean;
}

/** Finds the Authorization header for one registry host; tokens are kept by scope and shared by requests under way. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;
  #credentials: Promise<Credentials> | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The header to send along, as far as the host has said by now what it wants. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const credentials = (await this.#credentials) ?? { kind: "none" };
    if (credentials.kind === "header") return credentials.authorization;
    if (challenge.scheme === "basic") {
      return credentials.kind === "basic" ? basicAuthorization(credentials.username, credentials.password) : undefined;
    }
    return `Bearer ${(await this.#token(challenge, scopes, credentials)).value}`;
  }

  /**
   * Takes in a 401. `sent` is the header that was refused.
   * @returns whether another try with `header` may fare better
   * @throws Unauthenticated when a password is wanted and there is none
   */
  async challenged(
    wwwAuthenticate: readonly string[],
    scopes: readonly string[],
    sent: string | undefined,
  ): Promise<boolean> {
    const challenges = parseChallenges(wwwAuthenticate);
    const challenge =
      challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
    if (challenge === undefined) return false;
    const asked = this.#challenge;
    this.#challenge = challenge;
    // One request for credentials, however many requests meet their first 401 together.
    this.#credentials ??= this.#options.credentials({ host: this.#options.host, wwwAuthenticate });
    const credentials = await this.#credentials;
    if (challenge.scheme === "basic" && (credentials.kind === "none" || credentials.kind === "identityToken")) {
      throw new Unauthenticated("no basic auth credentials");
    }
    if (sent === undefined) return credentials.kind !== "none" || challenge.scheme === "bearer";
    if (challenge.scheme !== "bearer" || credentials.kind === "header") return false;
    this.#tokens.delete(keyOf(this.#scopesOf(challenge, scopes)));
    if (asked !== undefined) this.#tokens.delete(keyOf(this.#scopesOf(asked, scopes)));
    return true;
  }

  #scopesOf(challenge: Challenge, scopes: readonly string[]): string[] {
    const named = challenge.parameters["scope"]?.split(" ") ?? [];
    // The registry's own wish counts only where we asked for nothing: else another repository's
    // challenge would widen every token.
    return scopes.length > 0 ? [...scopes] : named;
  }

  async #token(challenge: Challenge, scopes: readonly string[], credentials: Credentials): Promise<Token> {
    const wanted = this.#scopesOf(challenge, scopes);
    const key = keyOf(wanted);
    const known = await this.#tokens.get(key)?.catch(() => undefined);
    if (known !== undefined && known.expiresAt > Date.now()) return known;
    const pending = this.#tokens.get(key);
    if (pending !== undefined && known === undefined) return pending;
    const fetched = fetchToken(this.#options.exchange, challenge, wanted, credentials, this.#options.overTls());
    this.#tokens.set(key, fetched);
    fetched.catch(() => {
      if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
    });
    return fetched;
  }
}

function keyOf(scopes: readonly string[]): string {
  return scopes.toSorted().join(" ");
}
