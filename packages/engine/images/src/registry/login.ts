import type { AuthConfig } from "@longshore/docker-api";
import { Unauthenticated, Unknown, isKind, messageOf } from "@longshore/errdefs";
import type { ImagesContext } from "../model/context.ts";
import { registryClient } from "./registry.ts";

/** The registry that a server address in a `docker login` means; Docker Hub's index URL stands for Docker Hub. */
function domainOf(address: string): string {
  const host = address.replace(/^https?:\/\//, "").split("/", 1)[0] ?? "";
  return host === "" || host === "index.docker.io" ? "docker.io" : host;
}

/**
 * Asks a registry whether it takes these credentials.
 * @throws Unauthenticated when it does not, Unknown when it cannot be asked
 */
export async function login(
  context: ImagesContext,
  auth: AuthConfig,
  signal: AbortSignal,
): Promise<{ Status: string; IdentityToken: string }> {
  try {
    await registryClient(context, { auth, headers: {}, signal }).ping(domainOf(auth.serveraddress ?? ""), signal);
  } catch (error) {
    // A registry that is out of reach has refused nobody.
    if (isKind(error, "Unavailable"))
      throw new Unknown(messageOf(error).replace(/^failed to do request: /, ""), { cause: error });
    throw new Unauthenticated(messageOf(error), { cause: error });
  }
  return { Status: "Login Succeeded", IdentityToken: "" };
}
