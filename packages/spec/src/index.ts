export type { EngineSettings, ExecInput, MountRecord, ReadyMount, ResolvedUser, SpecInput } from "./contract.ts";
export type { HostFacts } from "./host.ts";
export type { SysInfo } from "./sysinfo.ts";
