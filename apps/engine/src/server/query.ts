import { Unknown } from "@longshore/errdefs";
import type { FastifyRequest } from "fastify";
import { targetOf } from "./request.ts";

const falseWords = new Set(["", "0", "no", "false", "none"]);

/** The query of a request, read by Docker's rules: the first of repeated values counts. */
export class Query {
  readonly #params: URLSearchParams;

  constructor(request: FastifyRequest) {
    this.#params = new URLSearchParams(targetOf(request).query);
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** The first value, or an empty string. */
  get(name: string): string {
    return this.#params.get(name) ?? "";
  }

  all(name: string): string[] {
    return this.#params.getAll(name);
  }

  /** False for `""`, `0`, `no`, `false`, `none` in any case, true for everything else; `fallback` when absent. */
  bool(name: string, fallback = false): boolean {
    const value = this.#params.get(name);
    return value === null ? fallback : !falseWords.has(value.trim().toLowerCase());
  }

  /** @throws Unknown (status 500, as Docker answers) in the words of Docker's number parser; `fallback` when absent or empty */
  int(name: string, fallback: number): number {
    const value = this.get(name);
    if (value === "") return fallback;
    if (!/^[+-]?\d+$/.test(value)) throw new Unknown(`strconv.Atoi: parsing "${value}": invalid syntax`);
    return Number(value);
  }
}
