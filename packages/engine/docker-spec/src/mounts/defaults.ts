import type { runtime } from "@longshore/oci";

/** What every container has mounted, unless it mounts something of its own there. */
export function defaultMounts(shmSize: number): runtime.Mount[] {
  const mount = (destination: string, type: string, source: string, ...options: string[]): runtime.Mount => ({
    destination,
    type,
    source,
    options,
  });
  return [
    mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"),
    mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
    mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
    mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev"),
    mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", `size=${shmSize}`),
  ];
}
