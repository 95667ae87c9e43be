import { constants } from "node:os";

export { parseSignal } from "@longshore/spec";
export const { SIGKILL } = constants.signals;
