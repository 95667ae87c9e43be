export { HealthMonitor, type HealthHooks, judge, type ProbeResult } from "./monitor.ts";
export { healthSettings, type HealthSettings } from "./settings.ts";
