import { readdirSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { Container, HealthObserver } from "@longshore/containers";
import type { SystemInfo } from "@longshore/docker-api";
import type { Sandboxes } from "@longshore/networks";
import { Histogram, metric } from "./exposition.ts";

/** What is asked at the moment of a scrape. */
export interface MetricsSource {
  containers(): readonly Pick<Container, "status">[];
  /** Events since the start, and who listens to them now. */
  events(): { logged: number; listeners: number };
  /** Of the engine and its host, as `docker info` shows it. */
  info(): Promise<Partial<SystemInfo>>;
}

const prefix = "engine_daemon_";

/** The daemon's metrics by the names of dockerd 28. Where metrics are not served there is none of these, and nothing is measured. */
export class Metrics {
  /** create, start, delete, commit, changes */
  readonly containerActions = new Histogram(
    `${prefix}container_actions_seconds`,
    "The number of seconds it takes to process each container action",
    "action",
  );
  /** allocate, release, connect */
  readonly networkActions = new Histogram(
    `${prefix}network_actions_seconds`,
    "The number of seconds it takes to process each network action",
    "action",
  );
  /** pull, push, delete, history */
  readonly imageActions = new Histogram(
    `${prefix}image_actions_seconds`,
    "The number of seconds it takes to process each image action",
    "action",
  );
  readonly hostInfo = new Histogram(
    `${prefix}host_info_functions_seconds`,
    "The number of seconds it takes to call functions gathering info about the host",
    "function",
  );
  readonly #healthStart = new Histogram(
    `${prefix}health_check_start_duration_seconds`,
    "The number of seconds it takes to prepare to run health checks",
    "",
  );
  #healthChecks = 0;
  #healthChecksFailed = 0;

  constructor() {
    for (const action of ["start", "changes", "commit", "create", "delete"]) this.containerActions.begin(action);
  }

  readonly health: HealthObserver = {
    begun: (seconds) => this.#healthStart.observe("", seconds),
    ended: (failed) => {
      this.#healthChecks++;
      if (failed) this.#healthChecksFailed++;
    },
  };

  /** The same network, with the time that its work takes. */
  watch(network: Sandboxes): Sandboxes {
    const time = this.networkActions;
    return new Proxy(network, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        const call = (...given: unknown[]): unknown => Reflect.apply(member, target, given);
        if (name !== "allocate" && name !== "release" && name !== "connect") return call;
        return (...given: unknown[]) => time.time(name, () => call(...given) as Promise<unknown>);
      },
    });
  }

  /** All of them in Prometheus' text format. */
  async text(source: MetricsSource): Promise<string> {
    const { logged, listeners } = source.events();
    return [
      this.containerActions.text(),
      metric(
        `${prefix}container_states_containers`,
        "gauge",
        "The count of containers in various states",
        states(source),
      ),
      metric(`${prefix}engine_cpus_cpus`, "gauge", "The number of cpus that the host system of the engine has", [
        { value: availableParallelism() },
      ]),
      metric(`${prefix}engine_info`, "gauge", "The information related to the engine and the OS it is running on", [
        { labels: infoLabels(await source.info()), value: 1 },
      ]),
      metric(
        `${prefix}engine_memory_bytes`,
        "gauge",
        "The number of bytes of memory that the host system of the engine has",
        [{ value: totalmem() }],
      ),
      metric(`${prefix}events_subscribers_total`, "gauge", "The number of current subscribers to events", [
        { value: listeners },
      ]),
      metric(`${prefix}events_total`, "counter", "The number of events logged", [{ value: logged }]),
      this.#healthStart.text(),
      metric(`${prefix}health_checks_failed_total`, "counter", "The total number of failed health checks", [
        { value: this.#healthChecksFailed },
      ]),
      metric(`${prefix}health_checks_total`, "counter", "The total number of health checks", [
        { value: this.#healthChecks },
      ]),
      this.hostInfo.text(),
      this.imageActions.text(),
      this.networkActions.text(),
      processMetrics(),
    ].join("");
  }
}

function states(source: MetricsSource): { labels: { state: string }; value: number }[] {
  const counts = { paused: 0, running: 0, stopped: 0 };
  for (const { status } of source.containers()) {
    if (status === "paused") counts.paused++;
    else if (status === "running" || status === "restarting") counts.running++;
    else counts.stopped++;
  }
  return Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
}

function infoLabels(info: Partial<SystemInfo>): Record<string, string> {
  return {
    architecture: info.Architecture ?? "",
    commit: "",
    daemon_id: info.ID ?? "",
    graphdriver: info.Driver ?? "",
    kernel: info.KernelVersion ?? "",
    os: info.OperatingSystem ?? "",
    os_type: info.OSType ?? "",
    os_version: info.OSVersion ?? "",
    version: info.ServerVersion ?? "",
  };
}

/** The daemon's own process, by the names that every Prometheus client has. */
function processMetrics(): string {
  const { user, system } = process.cpuUsage();
  return [
    metric("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", [
      { value: (user + system) / 1e6 },
    ]),
    metric("process_open_fds", "gauge", "Number of open file descriptors.", [
      { value: readdirSync("/proc/self/fd").length },
    ]),
    metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", [
      { value: process.memoryUsage.rss() },
    ]),
    metric("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", [
      { value: Math.round(performance.timeOrigin) / 1000 },
    ]),
  ].join("");
}
