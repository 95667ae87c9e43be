import { access } from "../kinds/access.ts";
import { hosts, texts } from "../kinds/lists.ts";
import { flag, text } from "../kinds/scalars.ts";
import { checkCors, checkHosts } from "../checks.ts";
import { option } from "./option.ts";

/** Where the API is served, and to whom. */
export const apiOptions = {
  "api-cors-header": option(text, {
    hidden: true,
    deprecated: "accessing Docker API through a browser is insecure; use a reverse proxy if you need CORS headers",
    help: "Set CORS headers in the Engine API",
    fallback: "",
    check: checkCors,
  }),
  "authorization-plugin": option(texts, {
    key: "authorization-plugins",
    help: "Authorization plugins to load",
    fallback: [],
    reload: "always",
    untold: true,
  }),
  host: option(hosts, {
    short: "H",
    key: "hosts",
    help: "Daemon socket(s) to connect to",
    fallback: ["unix://"],
    check: checkHosts,
  }),
  longshore: option(access, { fileOnly: true, help: "", fallback: { sockets: [] } }),
  tls: option(flag, { help: "Use TLS; implied by --tlsverify", fallback: false }),
  tlscacert: option(text, { help: "Trust certs signed only by this CA", fallback: "" }),
  tlscert: option(text, { help: "Path to TLS certificate file", fallback: "" }),
  tlskey: option(text, { help: "Path to TLS key file", fallback: "" }),
  tlsverify: option(flag, { help: "Use TLS and verify the remote", fallback: false }),
};
