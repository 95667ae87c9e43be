export { HealthMonitor, type HealthHooks, Interrupted, judge, type ProbeResult } from "./monitor.ts";
export { healthSettings, type HealthSettings } from "./settings.ts";
