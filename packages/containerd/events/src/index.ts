export { Exchange, type Publisher } from "./exchange.ts";
export { validateTopic } from "./topic.ts";
