/** What is asked of systemd: a unit for the processes that outlive the daemons. */
export { type Place, type SystemdHost, openShimsUnit } from "./shims-unit.ts";
