import { texts } from "../kinds/lists.ts";
import { map, runtimes, ulimits } from "../kinds/maps.ts";
import { bytes, flag, int64, text } from "../kinds/scalars.ts";
import { checkCgroupnsMode, checkExecOptions, checkIpcMode, checkRealTime } from "../checks.ts";
import { option } from "./option.ts";

/** What containers get that do not say otherwise. */
export const containersOptions = {
  "add-runtime": option(runtimes, {
    key: "runtimes",
    help: "Register an additional OCI compatible runtime",
    fallback: {},
    reload: "named",
  }),
  "cgroup-parent": option(text, { help: "Set parent cgroup for all containers", fallback: "" }),
  "cpu-rt-period": option(int64, {
    unserved: "the parent cgroup has no real-time limit; a container's own (--cpu-rt-period) is kept",
    help: "Limit the CPU real-time period in microseconds for the parent cgroup for all containers (not supported with cgroups v2)",
    fallback: 0,
    check: checkRealTime,
  }),
  "cpu-rt-runtime": option(int64, {
    unserved: "the parent cgroup has no real-time limit; a container's own (--cpu-rt-runtime) is kept",
    help: "Limit the CPU real-time runtime in microseconds for the parent cgroup for all containers (not supported with cgroups v2)",
    fallback: 0,
    check: checkRealTime,
  }),
  "cdi-spec-dir": option(texts, {
    key: "cdi-spec-dirs",
    unserved: "devices by CDI are not served; a container that asks for one is refused",
    help: "CDI specification directories to use",
    fallback: [],
  }),
  "default-cgroupns-mode": option(text, {
    help: 'Default mode for containers cgroup namespace ("host" | "private")',
    fallback: "",
    reload: "named",
    check: checkCgroupnsMode,
  }),
  "default-ipc-mode": option(text, {
    help: 'Default mode for containers ipc ("shareable" | "private")',
    fallback: "private",
    reload: "named",
    check: checkIpcMode,
  }),
  "default-runtime": option(text, { help: "Default OCI runtime for containers", fallback: "runc", reload: "named" }),
  "default-shm-size": option(bytes, { help: "Default shm size for containers", fallback: 67108864, reload: "named" }),
  "default-ulimit": option(ulimits, { key: "default-ulimits", help: "Default ulimits for containers", fallback: {} }),
  "exec-opt": option(texts, {
    key: "exec-opts",
    help: "Runtime execution options",
    fallback: [],
    check: checkExecOptions,
  }),
  init: option(flag, { help: "Run an init in the container to forward signals and reap processes", fallback: false }),
  "init-path": option(text, { help: "Path to the docker-init binary", fallback: "" }),
  "log-driver": option(text, { help: "Default driver for container logs", fallback: "json-file" }),
  "log-opt": option(map, { key: "log-opts", help: "Default log driver options for containers", fallback: {} }),
  "no-new-privileges": option(flag, { help: "Set no-new-privileges by default for new containers", fallback: false }),
  restart: option(flag, {
    short: "r",
    hidden: true,
    deprecated: "Please use a restart policy on docker run",
    help: "",
    fallback: true,
    unserved: "restart policies decide, whatever the daemon is told",
  }),
  "seccomp-profile": option(text, {
    help: 'Path to seccomp profile. Set to "unconfined" to disable the default seccomp profile',
    fallback: "builtin",
  }),
  "selinux-enabled": option(flag, {
    unserved: "containers get no SELinux labels",
    help: "Enable selinux support",
    fallback: false,
  }),
  "userns-remap": option(text, {
    unserved: "containers run WITHOUT a user namespace: their root is the host's",
    help: "User/Group setting for user namespaces",
    fallback: "", // Mapping root to itself is none, for dockerd too.
    idle: ["root", "root:root", "0", "0:0"],
  }),
};
