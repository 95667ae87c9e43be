import type { Fields, Infer, ListOf, MapOf, Shape, StructOf } from "./shape.ts";

type LeftOut<F extends Fields> = { [K in keyof F]: F[K] extends { leftOut: true } ? K : never }[keyof F];
type Shown<F extends Fields> = Exclude<keyof F, LeftOut<F>>;

/** The members of a document: those that are left out when they are empty may be absent, all others are there. */
export type DocumentFields<F extends Fields> = keyof F extends never
  ? Record<string, never>
  : { [K in Shown<F>]: Document<F[K]> } & { [K in LeftOut<F>]?: NonNullable<Document<F[K]>> };

/** What a body may leave out, a document has: the type of what is kept and shown of a shape. A list or map that is empty may be `null`. */
export type Document<S extends Shape> =
  | (S extends { pointer: true } ? null : never)
  | (S extends StructOf<infer F, infer _>
      ? DocumentFields<F>
      : S extends { kind: "list"; length: 2 }
        ? NonNullable<Infer<S>>
        : S extends ListOf<infer E>
          ? Document<E>[] | null
          : S extends MapOf<infer E>
            ? Record<string, Document<E>> | null
            : Infer<S>);
