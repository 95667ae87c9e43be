import { parseInteger } from "@longshore/go-values";
import { InvalidArgument, Unknown, messageOf } from "@longshore/errdefs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { parseQueryString } from "./query-string.ts";
import { targetOf } from "../request.ts";

const falseWords = new Set(["", "0", "no", "false", "none"]);

/** The query of a request, read by Docker's rules: the first of repeated values counts. */
export class Query {
  readonly #parameters: ReadonlyMap<string, readonly string[]>;

  constructor(request: FastifyRequest) {
    this.#parameters = parseQueryString(targetOf(request).query).parameters;
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  /** The first value, or an empty string. */
  get(name: string): string {
    return this.#parameters.get(name)?.[0] ?? "";
  }

  all(name: string): string[] {
    return [...(this.#parameters.get(name) ?? [])];
  }

  /** False for `""`, `0`, `no`, `false`, `none` in any case, true for everything else; `fallback` when absent. */
  bool(name: string, fallback = false): boolean {
    return this.has(name) ? !falseWords.has(this.get(name).trim().toLowerCase()) : fallback;
  }

  /** @throws Unknown (status 500, as Docker answers) in the words of Docker's number parser; `fallback` when absent or empty */
  int(name: string, fallback: number): number {
    const value = this.get(name);
    if (value === "") return fallback;
    try {
      return parseInteger(value, "Atoi");
    } catch (error) {
      throw new Unknown(messageOf(error), { cause: error });
    }
  }
}

/** Routes that Docker's handlers serve whatever the query, of which they take what can be read. */
const lenient =
  /^\/(?:_ping|version|info|auth|containers\/:name\/(?:json|export|changes)|exec\/:id\/json|swarm.*|nodes.*|services.*|tasks.*|secrets.*|configs.*)$/;

/** Refuses requests with a query that cannot be read, once policies and plugins have let them through and before their routes do anything. */
export function checkQueries(app: FastifyInstance): void {
  app.addHook("preHandler", (request, _reply, done) => {
    const { url } = request.routeOptions;
    if (
      request.is404 ||
      url === undefined ||
      lenient.test(url) ||
      (request.method === "PUT" && url.startsWith("/volumes/"))
    )
      return done();
    const { fault } = parseQueryString(targetOf(request).query);
    done(fault === undefined ? undefined : new InvalidArgument(fault));
  });
}
