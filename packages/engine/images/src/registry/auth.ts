import type { ClientStream } from "@longshore/containerd-client";
import type { AuthConfig } from "@longshore/docker-api";
import { packAny, unpackAny } from "@longshore/proto";
import { AuthRequestSchema, AuthResponseSchema, AuthType } from "@longshore/proto/containerd/types/transfer/transfer";
import type { Credentials } from "@longshore/remotes";

/** What a Docker client's credentials mean to a registry. */
export function credentialsOf(auth: AuthConfig): Credentials {
  if (auth.identitytoken) return { kind: "identityToken", token: auth.identitytoken };
  if (auth.registrytoken) return { kind: "header", authorization: `Bearer ${auth.registrytoken}` };
  const [username = "", ...rest] = auth.auth ? Buffer.from(auth.auth, "base64").toString("utf8").split(":") : [];
  const pair = { username: auth.username || username, password: auth.password || rest.join(":") };
  return pair.username === "" ? { kind: "none" } : { kind: "basic", ...pair };
}

type Answer = { authType: AuthType; secret: string; username?: string };

function answerOf(credentials: Credentials): Answer {
  switch (credentials.kind) {
    case "basic":
      return { authType: AuthType.CREDENTIALS, username: credentials.username, secret: credentials.password };
    case "identityToken":
      return { authType: AuthType.REFRESH, secret: credentials.token };
    case "header":
      return { authType: AuthType.HEADER, secret: credentials.authorization };
    case "none":
      return { authType: AuthType.NONE, secret: "" };
  }
}

/** Answers containerd's questions for credentials until the stream ends. */
export async function answerAuth(stream: ClientStream, auth: AuthConfig): Promise<void> {
  const answer = packAny(AuthResponseSchema, answerOf(credentialsOf(auth)));
  for (let message = await stream.receive(); message !== undefined; message = await stream.receive()) {
    if (unpackAny(message, AuthRequestSchema) !== undefined) await stream.send(answer);
  }
}
