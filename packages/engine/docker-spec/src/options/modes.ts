/** `container:NAME`, as network, IPC and PID modes write it: the name, or undefined. */
export function containerOf(mode: string): string | undefined {
  return mode.startsWith("container:") ? mode.slice("container:".length) : undefined;
}

/** Whether a network, PID or IPC mode names neither the host nor another container. */
export function isOwnNamespace(mode: string): boolean {
  return mode !== "host" && containerOf(mode) === undefined;
}

/** Whether the container's shared memory lies on the host so that others can join it. */
export function usesShmPath(ipcMode: string): boolean {
  return ipcMode === "shareable" || ipcMode === "host" || containerOf(ipcMode) !== undefined;
}
