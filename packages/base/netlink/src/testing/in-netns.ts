import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a program in the network namespace at a path and answers its output. */
export async function inNetns(netns: string, ...command: string[]): Promise<string> {
  return (await promisify(execFile)("nsenter", [`--net=${netns}`, ...command])).stdout;
}
