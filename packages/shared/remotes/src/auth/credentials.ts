/** What a registry's user has to show. */
export type Credentials =
  | { readonly kind: "none" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, which `docker login` calls identity token. */
  | { readonly kind: "identityToken"; readonly token: string }
  /** A whole Authorization header, e.g. a registry token as `Bearer …`. */
  | { readonly kind: "header"; readonly authorization: string };

/** Asked once a host demands credentials; `wwwAuthenticate` is what it answered. */
export type CredentialsCallback = (request: {
  readonly host: string;
  readonly wwwAuthenticate: readonly string[];
}) => Promise<Credentials>;

export const anonymous: CredentialsCallback = async () => ({ kind: "none" });
