/** What a route says of itself to the policies of further sockets. */
export interface RouteAccess {
  /** Whether it changes something, where its method tells otherwise: a GET that carries input, a POST that only waits. */
  readonly changes?: boolean;
  /** It finds containers with `visible` only, and reaches nothing beyond them: sockets with `container-labels` serve it. */
  readonly confined?: boolean;
}

declare module "fastify" {
  interface FastifyContextConfig extends RouteAccess {}
}

/** The options of a route for single containers. */
export const confined = { config: { confined: true } } as const;
