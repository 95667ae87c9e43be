export type { Bootstrap } from "./shim/bootstrap.ts";
export type {
  CreateOptions,
  EventPublisher,
  Exit,
  RuntimeConfig,
  RuntimeEvents,
  SandboxEndpoint,
  TaskIO,
} from "./contract.ts";
export { type RuntimeLookup, loadTasks } from "./load.ts";
export { type RuntimeDeps, TaskManager } from "./manager.ts";
export { SandboxManager, type SandboxOptions } from "./sandboxes.ts";
export { runtimeInfo } from "./shim/info.ts";
export type { ProcessState, Task } from "./task.ts";
