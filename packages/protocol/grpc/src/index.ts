export { Channel, createClient } from "./client.ts";
export type { CallContext } from "./context.ts";
export {
  implement,
  maxMessageBytes,
  serve,
  type BoundService,
  type RunningServer,
  type ServeOptions,
  type ServiceImplementation,
} from "./server.ts";
