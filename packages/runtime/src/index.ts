export type { CreateOptions, EventPublisher, Exit, RuntimeConfig, RuntimeEvents, TaskIO } from "./contract.ts";
export { type RuntimeLookup, loadTasks } from "./load.ts";
export { type RuntimeDeps, TaskManager } from "./manager.ts";
export type { ProcessState, Task } from "./task.ts";
