import { login } from "@longshore/images";
import type { RoutePlugin } from "../engine.ts";
import { readJson } from "../server/body.ts";
import { clientGone } from "../server/request.ts";
import { sendJson } from "../server/send.ts";
import { struct, text } from "@longshore/gojson";

const authMembers = { username: text, password: text, auth: text, email: text, serveraddress: text, identitytoken: text, registrytoken: text };
const authBody = struct("registry.AuthConfig", authMembers, "");

/** `docker login`: tells whether a registry takes the credentials. */
export const authRoutes: RoutePlugin = (app, { images }) => {
  app.post("/auth", async (request, reply) => {
    const auth = (await readJson<Parameters<typeof login>[1]>(request, authBody)) ?? ({} as Parameters<typeof login>[1]);
    sendJson(reply, 200, await login(images, auth, clientGone(reply)));
  });
};
