import { texts } from "../kinds/lists.ts";
import { flag, int, text } from "../kinds/scalars.ts";
import { checkDiagnosticPort } from "../checks.ts";
import { option } from "./option.ts";

/** Parts of Docker that this engine has not, and what it only shows. */
export const absentOptions = {
  "cri-containerd": option(flag, {
    unserved: "the engine starts no containerd of its own, and its containerd has no CRI",
    help: "start containerd with cri",
    fallback: false,
  }),
  "network-control-plane-mtu": option(int, {
    unserved: "swarm mode is not served, nor is its control plane",
    help: "Network Control plane MTU",
    fallback: 1500,
  }),
  "network-diagnostic-port": option(int, {
    hidden: true,
    unserved: "there is no network diagnostic server",
    help: "TCP port number of the network diagnostic server",
    fallback: 0,
    check: checkDiagnosticPort,
  }),
  "node-generic-resource": option(texts, {
    key: "node-generic-resources",
    help: "Advertise user-defined resource",
    fallback: [],
  }),
  rootless: option(flag, {
    unserved: "the engine runs as root, and so do its containers' runtimes",
    help: "Enable rootless mode; typically used with RootlessKit",
    fallback: false,
  }),
  "swarm-default-advertise-addr": option(text, {
    unserved: "swarm mode is not served",
    help: "Set default address or interface for swarm advertised address",
    fallback: "",
  }),
};
