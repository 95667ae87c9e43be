/** How an option's value is written on the command line and in daemon.json. */
type OptionKind = "string" | "bool" | "int" | "bytes" | "list" | "map" | "mapmap" | "ip" | "runtime" | "pool" | "ulimit" | "access";

export interface Option {
  flag: string;
  short?: string;
  kind: OptionKind;
  /** Key in daemon.json; the flag's name when absent, `null` for one that only the command line has. */
  key?: string | null;
  /** It has no flag: only daemon.json can give it. */
  fileOnly?: true;
  /** For the ones that are a repeated flag but a map in daemon.json, or have another help text name. */
  value: string;
  help: string;
  fallback?: string | number | boolean;
}

/** dockerd's options that this engine honours, with dockerd's names and meaning. */
export const options: readonly Option[] = [
  { flag: "add-runtime", kind: "runtime", key: "runtimes", value: "runtime", help: "Register an additional OCI compatible runtime" },
  { flag: "allow-direct-routing", kind: "bool", value: "", help: "Allow remote access to published ports on container IP addresses", fallback: false },
  { flag: "authorization-plugin", kind: "list", key: "authorization-plugins", value: "list", help: "Authorization plugins to load" },
  { flag: "bip", kind: "string", value: "string", help: "IPv4 address for the default bridge", fallback: "" },
  { flag: "bip6", kind: "string", value: "string", help: "IPv6 address for the default bridge", fallback: "" },
  { flag: "bridge", short: "b", kind: "string", value: "string", help: "Attach containers to a network bridge", fallback: "" },
  { flag: "cgroup-parent", kind: "string", value: "string", help: "Set parent cgroup for all containers", fallback: "" },
  { flag: "config-file", kind: "string", key: null, value: "string", help: "Daemon configuration file", fallback: "/etc/docker/daemon.json" },
  { flag: "containerd", kind: "string", value: "string", help: "containerd grpc address", fallback: "/run/longshore/containerd/containerd.sock" },
  { flag: "containerd-namespace", kind: "string", value: "string", help: "Containerd namespace to use", fallback: "moby" },
  { flag: "data-root", kind: "string", value: "string", help: "Root directory of persistent state", fallback: "/var/lib/longshore" },
  { flag: "debug", short: "D", kind: "bool", value: "", help: "Enable debug mode", fallback: false },
  { flag: "default-address-pool", kind: "pool", key: "default-address-pools", value: "pool-options", help: "Default address pools for node specific local networks" },
  { flag: "default-cgroupns-mode", kind: "string", value: "string", help: 'Default mode for containers cgroup namespace ("host" | "private")', fallback: "" },
  { flag: "default-gateway", kind: "string", value: "ip", help: "Default gateway IPv4 address for the default bridge network", fallback: "" },
  { flag: "default-gateway-v6", kind: "string", value: "ip", help: "Default gateway IPv6 address for the default bridge network", fallback: "" },
  { flag: "default-ipc-mode", kind: "string", value: "string", help: 'Default mode for containers ipc ("shareable" | "private")', fallback: "private" },
  { flag: "default-network-opt", kind: "mapmap", key: "default-network-opts", value: "mapmap", help: "Default network options" },
  { flag: "default-runtime", kind: "string", value: "string", help: "Default OCI runtime for containers", fallback: "runc" },
  { flag: "default-shm-size", kind: "bytes", value: "bytes", help: "Default shm size for containers", fallback: 67108864 },
  { flag: "default-ulimit", kind: "ulimit", key: "default-ulimits", value: "ulimit", help: "Default ulimits for containers" },
  { flag: "dns", kind: "list", value: "ipSlice", help: "DNS server to use" },
  { flag: "dns-opt", kind: "list", key: "dns-opts", value: "list", help: "DNS options to use" },
  { flag: "dns-search", kind: "list", value: "list", help: "DNS search domains to use" },
  { flag: "exec-opt", kind: "list", key: "exec-opts", value: "list", help: "Runtime execution options" },
  { flag: "exec-root", kind: "string", value: "string", help: "Root directory for execution state files", fallback: "/run/longshore" },
  { flag: "experimental", kind: "bool", value: "", help: "Enable experimental features", fallback: false },
  { flag: "fixed-cidr", kind: "string", value: "string", help: "IPv4 subnet for the default bridge network", fallback: "" },
  { flag: "fixed-cidr-v6", kind: "string", value: "string", help: "IPv6 subnet for the default bridge network", fallback: "" },
  { flag: "group", short: "G", kind: "string", value: "string", help: "Group for the unix socket", fallback: "docker" },
  { flag: "host", short: "H", kind: "list", key: "hosts", value: "list", help: "Daemon socket(s) to connect to" },
  { flag: "icc", kind: "bool", value: "", help: "Enable inter-container communication for the default bridge network", fallback: true },
  { flag: "init", kind: "bool", value: "", help: "Run an init in the container to forward signals and reap processes", fallback: false },
  { flag: "init-path", kind: "string", value: "string", help: "Path to the docker-init binary", fallback: "" },
  { flag: "insecure-registry", kind: "list", key: "insecure-registries", value: "list", help: "Enable insecure registry communication" },
  { flag: "ip", kind: "ip", value: "ip", help: "Host IP for port publishing from the default bridge network", fallback: "0.0.0.0" },
  { flag: "ip-forward", kind: "bool", value: "", help: "Enable IP forwarding in system configuration", fallback: true },
  { flag: "ip-forward-no-drop", kind: "bool", value: "", help: "Do not set the filter-FORWARD policy to DROP when enabling IP forwarding", fallback: false },
  { flag: "ip-masq", kind: "bool", value: "", help: "Enable IP masquerading for the default bridge network", fallback: true },
  { flag: "ip6tables", kind: "bool", value: "", help: "Enable addition of firewall rules for IPv6", fallback: true },
  { flag: "iptables", kind: "bool", value: "", help: "Enable addition of firewall rules", fallback: true },
  { flag: "ipv6", kind: "bool", value: "", help: "Enable IPv6 networking for the default bridge network", fallback: false },
  { flag: "label", kind: "list", key: "labels", value: "list", help: "Set key=value labels to the daemon" },
  { flag: "live-restore", kind: "bool", value: "", help: "Keep containers running while the daemon is away (always so)", fallback: true },
  { flag: "log-driver", kind: "string", value: "string", help: "Default driver for container logs", fallback: "json-file" },
  { flag: "log-level", short: "l", kind: "string", value: "string", help: 'Set the logging level ("debug"|"info"|"warn"|"error"|"fatal")', fallback: "info" },
  { flag: "log-opt", kind: "map", key: "log-opts", value: "map", help: "Default log driver options for containers" },
  { flag: "longshore", kind: "access", fileOnly: true, value: "", help: "" },
  { flag: "max-concurrent-downloads", kind: "int", value: "int", help: "Set the max concurrent downloads", fallback: 3 },
  { flag: "max-concurrent-uploads", kind: "int", value: "int", help: "Set the max concurrent uploads", fallback: 5 },
  { flag: "mtu", kind: "int", value: "int", help: 'Set the MTU for the default "bridge" network', fallback: 1500 },
  { flag: "no-new-privileges", kind: "bool", value: "", help: "Set no-new-privileges by default for new containers", fallback: false },
  { flag: "pidfile", short: "p", kind: "string", value: "string", help: "Path to use for daemon PID file", fallback: "/run/longshore/dockerd.pid" },
  { flag: "registry-mirror", kind: "list", key: "registry-mirrors", value: "list", help: "Preferred Docker registry mirror" },
  { flag: "seccomp-profile", kind: "string", value: "string", help: 'Path to seccomp profile. Set to "unconfined" to disable the default seccomp profile', fallback: "builtin" },
  { flag: "shutdown-timeout", kind: "int", value: "int", help: "Set the default shutdown timeout", fallback: 15 },
  { flag: "storage-driver", short: "s", kind: "string", value: "string", help: "Storage driver to use", fallback: "overlayfs" },
  { flag: "tls", kind: "bool", value: "", help: "Use TLS; implied by --tlsverify", fallback: false },
  { flag: "tlscacert", kind: "string", value: "string", help: "Trust certs signed only by this CA", fallback: "" },
  { flag: "tlscert", kind: "string", value: "string", help: "Path to TLS certificate file", fallback: "" },
  { flag: "tlskey", kind: "string", value: "string", help: "Path to TLS key file", fallback: "" },
  { flag: "tlsverify", kind: "bool", value: "", help: "Use TLS and verify the remote", fallback: false },
  { flag: "userland-proxy", kind: "bool", value: "", help: "Use userland proxy for loopback traffic", fallback: true },
  { flag: "userland-proxy-path", kind: "string", value: "string", help: "Path to the userland proxy binary", fallback: "" },
  { flag: "validate", kind: "bool", key: null, value: "", help: "Validate daemon configuration and exit", fallback: false },
  { flag: "version", short: "v", kind: "bool", key: null, value: "", help: "Print version information and quit", fallback: false },
  { flag: "help", kind: "bool", key: null, value: "", help: "Print usage", fallback: false },
];

/** The key of an option in daemon.json, `undefined` when it has none. */
export function keyOf(option: Option): string | undefined {
  return option.key === null ? undefined : (option.key ?? option.flag);
}
