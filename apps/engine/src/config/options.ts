/** How an option's value is written on the command line and in daemon.json. */
type OptionKind =
  | "string"
  | "bool"
  | "int"
  | "int64"
  | "bytes"
  | "list"
  | "map"
  | "mapmap"
  | "features"
  | "ip"
  | "ips"
  | "runtime"
  | "pool"
  | "ulimit"
  | "builder"
  | "access";

export interface Option {
  flag: string;
  short?: string;
  kind: OptionKind;
  /** Key in daemon.json; the flag's name when absent, `null` for one that only the command line has. */
  key?: string | null;
  /** The object of daemon.json that holds the key, such as `proxies`. */
  under?: string;
  /** An older key of daemon.json, for one value where `key` has a list. */
  formerKey?: string;
  /** It has no flag: only daemon.json can give it. */
  fileOnly?: true;
  /** A flag that `--help` does not show. */
  hidden?: true;
  /** What is told of a flag that is given although it should no longer be. */
  deprecated?: string;
  /** What is done instead, for an option that this engine takes but does not serve; told when it is given. */
  unserved?: string;
  /** For the ones that are a repeated flag but a map in daemon.json, or have another help text name. */
  value: string;
  help: string;
  fallback?: string | number | boolean;
}

/**
 * The options of dockerd 28.5, with its names and meaning, and the engine's own key `longshore`: what the command line
 * and daemon.json may say, and what becomes of it.
 */
export const options: readonly Option[] = [
  {
    flag: "add-runtime",
    kind: "runtime",
    key: "runtimes",
    value: "runtime",
    help: "Register an additional OCI compatible runtime",
  },
  {
    flag: "allow-direct-routing",
    kind: "bool",
    value: "",
    help: "Allow remote access to published ports on container IP addresses",
    fallback: false,
  },
  {
    flag: "allow-nondistributable-artifacts",
    kind: "list",
    value: "list",
    help: "Allow push of nondistributable artifacts to registry",
    hidden: true,
    deprecated: "Pushing nondistributable artifacts is now enabled by default. ",
    unserved: "nondistributable artifacts are always pushed",
  },
  {
    flag: "api-cors-header",
    kind: "string",
    value: "string",
    help: "Set CORS headers in the Engine API",
    hidden: true,
    deprecated: "accessing Docker API through a browser is insecure; use a reverse proxy if you need CORS headers",
    fallback: "",
  },
  {
    flag: "authorization-plugin",
    kind: "list",
    key: "authorization-plugins",
    value: "list",
    help: "Authorization plugins to load",
  },
  { flag: "bip", kind: "string", value: "string", help: "IPv4 address for the default bridge", fallback: "" },
  { flag: "bip6", kind: "string", value: "string", help: "IPv6 address for the default bridge", fallback: "" },
  {
    flag: "bridge",
    short: "b",
    kind: "string",
    value: "string",
    help: "Attach containers to a network bridge",
    fallback: "",
  },
  {
    flag: "builder",
    kind: "builder",
    fileOnly: true,
    value: "",
    help: "",
    unserved: "the engine does not build images; a builder of docker buildx has its own configuration",
  },
  {
    flag: "cdi-spec-dir",
    kind: "list",
    key: "cdi-spec-dirs",
    value: "list",
    help: "CDI specification directories to use",
    unserved: "devices by CDI are not served; a container that asks for one is refused",
  },
  {
    flag: "cgroup-parent",
    kind: "string",
    value: "string",
    help: "Set parent cgroup for all containers",
    fallback: "",
  },
  {
    flag: "config-file",
    kind: "string",
    key: null,
    value: "string",
    help: "Daemon configuration file",
    fallback: "/etc/docker/daemon.json",
  },
  {
    flag: "containerd",
    kind: "string",
    value: "string",
    help: "containerd grpc address",
    fallback: "/run/longshore/containerd/containerd.sock",
  },
  {
    flag: "containerd-namespace",
    kind: "string",
    value: "string",
    help: "Containerd namespace to use",
    fallback: "moby",
  },
  {
    flag: "containerd-plugins-namespace",
    kind: "string",
    key: null,
    value: "string",
    help: "Containerd namespace to use for plugins",
    fallback: "plugins.moby",
  },
  {
    flag: "cpu-rt-period",
    kind: "int64",
    value: "int",
    help: "Limit the CPU real-time period in microseconds for the parent cgroup for all containers (not supported with cgroups v2)",
    fallback: 0,
    unserved: "the parent cgroup has no real-time limit; a container's own (--cpu-rt-period) is kept",
  },
  {
    flag: "cpu-rt-runtime",
    kind: "int64",
    value: "int",
    help: "Limit the CPU real-time runtime in microseconds for the parent cgroup for all containers (not supported with cgroups v2)",
    fallback: 0,
    unserved: "the parent cgroup has no real-time limit; a container's own (--cpu-rt-runtime) is kept",
  },
  {
    flag: "cri-containerd",
    kind: "bool",
    value: "",
    help: "start containerd with cri",
    fallback: false,
    unserved: "the engine starts no containerd of its own, and its containerd has no CRI",
  },
  {
    flag: "data-root",
    kind: "string",
    value: "string",
    help: "Root directory of persistent state",
    fallback: "/var/lib/longshore",
  },
  { flag: "debug", short: "D", kind: "bool", value: "", help: "Enable debug mode", fallback: false },
  {
    flag: "default-address-pool",
    kind: "pool",
    key: "default-address-pools",
    value: "pool-options",
    help: "Default address pools for node specific local networks",
  },
  {
    flag: "default-cgroupns-mode",
    kind: "string",
    value: "string",
    help: 'Default mode for containers cgroup namespace ("host" | "private")',
    fallback: "",
  },
  {
    flag: "default-gateway",
    kind: "ip",
    value: "ip",
    help: "Default gateway IPv4 address for the default bridge network",
    fallback: "",
  },
  {
    flag: "default-gateway-v6",
    kind: "ip",
    value: "ip",
    help: "Default gateway IPv6 address for the default bridge network",
    fallback: "",
  },
  {
    flag: "default-ipc-mode",
    kind: "string",
    value: "string",
    help: 'Default mode for containers ipc ("shareable" | "private")',
    fallback: "private",
  },
  {
    flag: "default-network-opt",
    kind: "mapmap",
    key: "default-network-opts",
    value: "mapmap",
    help: "Default network options",
  },
  {
    flag: "default-runtime",
    kind: "string",
    value: "string",
    help: "Default OCI runtime for containers",
    fallback: "runc",
  },
  {
    flag: "default-shm-size",
    kind: "bytes",
    value: "bytes",
    help: "Default shm size for containers",
    fallback: 67108864,
  },
  {
    flag: "default-ulimit",
    kind: "ulimit",
    key: "default-ulimits",
    value: "ulimit",
    help: "Default ulimits for containers",
  },
  { flag: "deprecated-key-path", kind: "string", fileOnly: true, value: "", help: "" },
  { flag: "dns", kind: "ips", value: "ipSlice", help: "DNS server to use" },
  { flag: "dns-opt", kind: "list", key: "dns-opts", value: "list", help: "DNS options to use" },
  { flag: "dns-search", kind: "list", value: "list", help: "DNS search domains to use" },
  { flag: "exec-opt", kind: "list", key: "exec-opts", value: "list", help: "Runtime execution options" },
  {
    flag: "exec-root",
    kind: "string",
    value: "string",
    help: "Root directory for execution state files",
    fallback: "/run/longshore",
  },
  { flag: "experimental", kind: "bool", value: "", help: "Enable experimental features", fallback: false },
  { flag: "feature", kind: "features", key: "features", value: "map", help: "Enable feature in the daemon" },
  {
    flag: "fixed-cidr",
    kind: "string",
    value: "string",
    help: "IPv4 subnet for the default bridge network",
    fallback: "",
  },
  {
    flag: "fixed-cidr-v6",
    kind: "string",
    value: "string",
    help: "IPv6 subnet for the default bridge network",
    fallback: "",
  },
  { flag: "group", short: "G", kind: "string", value: "string", help: "Group for the unix socket", fallback: "docker" },
  { flag: "host", short: "H", kind: "list", key: "hosts", value: "list", help: "Daemon socket(s) to connect to" },
  {
    flag: "host-gateway-ip",
    kind: "ips",
    key: "host-gateway-ips",
    formerKey: "host-gateway-ip",
    value: "list",
    help: "IP addresses that the special 'host-gateway' string in --add-host resolves to. Defaults to the IP addresses of the default bridge",
  },
  {
    flag: "http-proxy",
    kind: "string",
    under: "proxies",
    value: "string",
    help: "HTTP proxy URL to use for outgoing traffic",
    fallback: "",
  },
  {
    flag: "https-proxy",
    kind: "string",
    under: "proxies",
    value: "string",
    help: "HTTPS proxy URL to use for outgoing traffic",
    fallback: "",
  },
  {
    flag: "icc",
    kind: "bool",
    value: "",
    help: "Enable inter-container communication for the default bridge network",
    fallback: true,
  },
  {
    flag: "init",
    kind: "bool",
    value: "",
    help: "Run an init in the container to forward signals and reap processes",
    fallback: false,
  },
  { flag: "init-path", kind: "string", value: "string", help: "Path to the docker-init binary", fallback: "" },
  {
    flag: "insecure-registry",
    kind: "list",
    key: "insecure-registries",
    value: "list",
    help: "Enable insecure registry communication",
  },
  {
    flag: "ip",
    kind: "ip",
    value: "ip",
    help: "Host IP for port publishing from the default bridge network",
    fallback: "0.0.0.0",
  },
  { flag: "ip-forward", kind: "bool", value: "", help: "Enable IP forwarding in system configuration", fallback: true },
  {
    flag: "ip-forward-no-drop",
    kind: "bool",
    value: "",
    help: "Do not set the filter-FORWARD policy to DROP when enabling IP forwarding",
    fallback: false,
  },
  {
    flag: "ip-masq",
    kind: "bool",
    value: "",
    help: "Enable IP masquerading for the default bridge network",
    fallback: true,
  },
  { flag: "ip6tables", kind: "bool", value: "", help: "Enable addition of firewall rules for IPv6", fallback: true },
  { flag: "iptables", kind: "bool", value: "", help: "Enable addition of firewall rules", fallback: true },
  {
    flag: "ipv6",
    kind: "bool",
    value: "",
    help: "Enable IPv6 networking for the default bridge network",
    fallback: false,
  },
  { flag: "label", kind: "list", key: "labels", value: "list", help: "Set key=value labels to the daemon" },
  {
    flag: "live-restore",
    kind: "bool",
    value: "",
    help: "Keep containers running while the daemon is away (always so)",
    fallback: true,
    unserved: "containers always go on while the daemon is away",
  },
  {
    flag: "log-driver",
    kind: "string",
    value: "string",
    help: "Default driver for container logs",
    fallback: "json-file",
  },
  {
    flag: "log-format",
    kind: "string",
    value: "string",
    help: 'Set the logging format ("text"|"json")',
    fallback: "text",
  },
  {
    flag: "log-level",
    short: "l",
    kind: "string",
    value: "string",
    help: 'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")',
    fallback: "info",
  },
  { flag: "log-opt", kind: "map", key: "log-opts", value: "map", help: "Default log driver options for containers" },
  { flag: "longshore", kind: "access", fileOnly: true, value: "", help: "" },
  {
    flag: "max-concurrent-downloads",
    kind: "int",
    value: "int",
    help: "Set the max concurrent downloads",
    fallback: 3,
  },
  { flag: "max-concurrent-uploads", kind: "int", value: "int", help: "Set the max concurrent uploads", fallback: 5 },
  {
    flag: "max-download-attempts",
    kind: "int",
    value: "int",
    help: "Set the max download attempts for each pull",
    fallback: 5,
    unserved:
      "containerd goes on with a download as long as it makes progress, and gives up after five attempts without",
  },
  {
    flag: "metrics-addr",
    kind: "string",
    value: "string",
    help: "Set default address and port to serve the metrics api on",
    fallback: "",
    unserved: "no metrics are served; `docker stats` and the API's /containers/{id}/stats give those of containers",
  },
  { flag: "mtu", kind: "int", value: "int", help: 'Set the MTU for the default "bridge" network', fallback: 1500 },
  {
    flag: "network-control-plane-mtu",
    kind: "int",
    value: "int",
    help: "Network Control plane MTU",
    fallback: 1500,
    unserved: "swarm mode is not served, nor is its control plane",
  },
  {
    flag: "network-diagnostic-port",
    kind: "int",
    value: "int",
    help: "TCP port number of the network diagnostic server",
    hidden: true,
    fallback: 0,
    unserved: "there is no network diagnostic server",
  },
  {
    flag: "no-new-privileges",
    kind: "bool",
    value: "",
    help: "Set no-new-privileges by default for new containers",
    fallback: false,
  },
  {
    flag: "no-proxy",
    kind: "string",
    under: "proxies",
    value: "string",
    help: "Comma-separated list of hosts or IP addresses for which the proxy is skipped",
    fallback: "",
  },
  {
    flag: "node-generic-resource",
    kind: "list",
    key: "node-generic-resources",
    value: "list",
    help: "Advertise user-defined resource",
  },
  {
    flag: "pidfile",
    short: "p",
    kind: "string",
    value: "string",
    help: "Path to use for daemon PID file",
    fallback: "/run/longshore/dockerd.pid",
  },
  { flag: "raw-logs", kind: "bool", value: "", help: "Full timestamps without ANSI coloring", fallback: false },
  {
    flag: "registry-mirror",
    kind: "list",
    key: "registry-mirrors",
    value: "list",
    help: "Preferred Docker registry mirror",
  },
  {
    flag: "restart",
    short: "r",
    kind: "bool",
    value: "",
    help: "",
    hidden: true,
    deprecated: "Please use a restart policy on docker run",
    fallback: true,
  },
  {
    flag: "rootless",
    kind: "bool",
    value: "",
    help: "Enable rootless mode; typically used with RootlessKit",
    fallback: false,
    unserved: "the engine runs as root, and so do its containers' runtimes",
  },
  {
    flag: "seccomp-profile",
    kind: "string",
    value: "string",
    help: 'Path to seccomp profile. Set to "unconfined" to disable the default seccomp profile',
    fallback: "builtin",
  },
  {
    flag: "selinux-enabled",
    kind: "bool",
    value: "",
    help: "Enable selinux support",
    fallback: false,
    unserved: "containers get no SELinux labels",
  },
  { flag: "shutdown-timeout", kind: "int", value: "int", help: "Set the default shutdown timeout", fallback: 15 },
  {
    flag: "storage-driver",
    short: "s",
    kind: "string",
    value: "string",
    help: "Storage driver to use",
    fallback: "overlayfs",
  },
  {
    flag: "storage-opt",
    kind: "list",
    key: "storage-opts",
    value: "list",
    help: "Storage driver options",
    unserved: "the overlayfs snapshotter has none of Docker's storage options",
  },
  {
    flag: "swarm-default-advertise-addr",
    kind: "string",
    value: "string",
    help: "Set default address or interface for swarm advertised address",
    fallback: "",
    unserved: "swarm mode is not served",
  },
  { flag: "tls", kind: "bool", value: "", help: "Use TLS; implied by --tlsverify", fallback: false },
  { flag: "tlscacert", kind: "string", value: "string", help: "Trust certs signed only by this CA", fallback: "" },
  { flag: "tlscert", kind: "string", value: "string", help: "Path to TLS certificate file", fallback: "" },
  { flag: "tlskey", kind: "string", value: "string", help: "Path to TLS key file", fallback: "" },
  { flag: "tlsverify", kind: "bool", value: "", help: "Use TLS and verify the remote", fallback: false },
  { flag: "userland-proxy", kind: "bool", value: "", help: "Use userland proxy for loopback traffic", fallback: true },
  {
    flag: "userland-proxy-path",
    kind: "string",
    value: "string",
    help: "Path to the userland proxy binary",
    fallback: "",
  },
  {
    flag: "userns-remap",
    kind: "string",
    value: "string",
    help: "User/Group setting for user namespaces",
    fallback: "",
    unserved: "containers run WITHOUT a user namespace: their root is the host's",
  },
  {
    flag: "validate",
    kind: "bool",
    key: null,
    value: "",
    help: "Validate daemon configuration and exit",
    fallback: false,
  },
  {
    flag: "version",
    short: "v",
    kind: "bool",
    key: null,
    value: "",
    help: "Print version information and quit",
    fallback: false,
  },
  { flag: "help", kind: "bool", key: null, value: "", help: "Print usage", fallback: false },
];

/** The key of an option in daemon.json (within `under`), `undefined` when it has none. */
export function keyOf(option: Option): string | undefined {
  return option.key === null ? undefined : (option.key ?? option.flag);
}
