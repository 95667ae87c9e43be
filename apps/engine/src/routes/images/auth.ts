import { messageOf, Unknown } from "@longshore/errdefs";
import type { RoutePlugin } from "../../backends.ts";
import { readPlainJson } from "../../server/body/body.ts";
import { clientGone } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { struct, text } from "@longshore/go-json";

const authMembers = {
  username: text,
  password: text,
  auth: text,
  email: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
};
const authBody = struct("registry.AuthConfig", authMembers, "");

/** `docker login`: tells whether a registry takes the credentials. */
export const authRoutes: RoutePlugin = (app, { images }) => {
  app.post("/auth", async (request, reply) => {
    const auth = await readPlainJson(request, authBody).catch((error: unknown) => {
      // As it is with Docker: no media type is asked for, and the client's mistake counts as the engine's.
      throw new Unknown(messageOf(error), { cause: error });
    });
    sendJson(reply, 200, await images.login(auth ?? {}, clientGone(reply)));
  });
};
