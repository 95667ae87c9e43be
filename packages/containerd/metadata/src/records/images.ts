import { digestProblem } from "@longshore/content";
import { AlreadyExists, InvalidArgument, NotFound } from "@longshore/errdefs";
import {
  ImageCreateSchema,
  ImageDeleteSchema,
  ImageUpdateSchema,
} from "@longshore/proto/containerd/services/images/v1/images";
import { date, integer, labels, text } from "./columns.ts";
import type { Image, ImageStore } from "../contract.ts";
import type { Row } from "../database/database.ts";
import { type Environment, allFlushed, ensureNamespace } from "../environment.ts";
import { imageAdaptor, recordFilters } from "./filters.ts";
import { hasControlCharacters } from "./control-characters.ts";
import { validateLabels, withEntry, withoutEmpty } from "./labels.ts";
import { forgetSetAside, readRows } from "../database/set-aside.ts";

type Draft = Omit<Image, "createdAt" | "updatedAt">;

/** @throws DataLoss when the record cannot be read */
export function imageOf(row: Row): Image {
  return {
    name: text(row, "name"),
    labels: labels(row),
    target: {
      mediaType: text(row, "media_type"),
      digest: text(row, "digest"),
      size: integer(row, "size"),
      annotations: labels(row, "annotations"),
    },
    createdAt: date(row, "created_at"),
    updatedAt: date(row, "updated_at"),
  };
}

export class Images implements ImageStore {
  readonly #env: Environment;
  readonly #namespace: string;

  constructor(env: Environment, namespace: string) {
    this.#env = env;
    this.#namespace = namespace;
  }

  async get(name: string): Promise<Image> {
    return this.#get(name);
  }

  async list(filters: readonly string[] = []): Promise<Image[]> {
    const filter = recordFilters(filters);
    const rows = this.#env.database.all("SELECT * FROM images WHERE namespace = ? ORDER BY name", this.#namespace);
    return [...readRows(this.#env, "images", rows, imageOf)].filter((image) => filter(imageAdaptor(image)));
  }

  async create(draft: Draft, at = new Date()): Promise<Image> {
    validate(draft);
    const { database, publisher, onMutation } = this.#env;
    const image: Image = { ...draft, labels: withoutEmpty(draft.labels), createdAt: at, updatedAt: at };
    database.transaction(() => {
      if (this.#find(draft.name) !== undefined) throw new AlreadyExists(`image "${draft.name}": already exists`);
      ensureNamespace(database, this.#namespace);
      this.#put(image);
    });
    await allFlushed(this.#env);
    publisher.publish(this.#namespace, "/images/create", ImageCreateSchema, { name: image.name, labels: image.labels });
    onMutation();
    return image;
  }

  async update(draft: Draft, fieldpaths: readonly string[], at = new Date()): Promise<Image> {
    const { database, publisher, onMutation } = this.#env;
    const image = database.transaction(() => {
      const current = this.#get(draft.name);
      const updated = fieldpaths.length === 0 ? draft : masked(current, draft, fieldpaths);
      validate(updated);
      const result: Image = {
        ...updated,
        labels: withoutEmpty(updated.labels),
        createdAt: current.createdAt,
        updatedAt: at,
      };
      this.#put(result);
      return result;
    });
    await allFlushed(this.#env);
    publisher.publish(this.#namespace, "/images/update", ImageUpdateSchema, { name: image.name, labels: image.labels });
    onMutation();
    return image;
  }

  async delete(name: string, target = ""): Promise<void> {
    const { database, publisher, onDeletion } = this.#env;
    database.essential(() => {
      if (this.#find(name) === undefined && forgetSetAside(database, "images", { namespace: this.#namespace, name }))
        return;
      const { digest } = this.#get(name).target;
      if (target !== "" && digest !== target)
        throw new NotFound(`image "${name}" has target ${digest}, not ${target}: not found`);
      database.run("DELETE FROM images WHERE namespace = ? AND name = ?", this.#namespace, name);
    });
    await database.flushed();
    publisher.publish(this.#namespace, "/images/delete", ImageDeleteSchema, { name });
    onDeletion();
  }

  #get(name: string): Image {
    const image = this.#find(name);
    if (image === undefined) throw new NotFound(`image "${name}": not found`);
    return image;
  }

  #find(name: string): Image | undefined {
    const row = this.#env.database.get("SELECT * FROM images WHERE namespace = ? AND name = ?", this.#namespace, name);
    return row && imageOf(row);
  }

  #put({ name, labels: imageLabels, target, createdAt, updatedAt }: Image): void {
    this.#env.database.run(
      "INSERT OR REPLACE INTO images (namespace, name, labels, media_type, digest, size, annotations, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      this.#namespace,
      name,
      JSON.stringify(imageLabels),
      target.mediaType,
      target.digest,
      target.size,
      JSON.stringify(target.annotations),
      createdAt.getTime(),
      updatedAt.getTime(),
    );
  }
}

/** Bytes of all annotations that a record keeps: a list holds every record's, and has to fit into one message. */
const maxAnnotations = 256 << 10;

function validate({ name, labels: imageLabels, target }: Draft): void {
  if (name === "") throw new InvalidArgument("image name must not be empty: invalid argument");
  if (hasControlCharacters(name))
    throw new InvalidArgument(
      `image name ${JSON.stringify(name.slice(0, 300))} must not hold control characters: invalid argument`,
    );
  validateLabels(imageLabels, "image.Labels");
  const problem = digestProblem(target.digest);
  if (problem !== undefined)
    throw new InvalidArgument(`Target.Digest "${target.digest}" invalid: ${problem}: invalid argument`);
  if (target.size <= 0) throw new InvalidArgument("Target.Size must be greater than zero: invalid argument");
  if (!Number.isSafeInteger(target.size))
    throw new InvalidArgument(`Target.Size ${target.size} is no number of bytes: invalid argument`);
  const bytes = Object.entries(target.annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (bytes > maxAnnotations)
    throw new InvalidArgument(`Target.Annotations of ${bytes} bytes are more than ${maxAnnotations}: invalid argument`);
  if (hasControlCharacters(target.mediaType))
    throw new InvalidArgument(
      `Target.MediaType ${JSON.stringify(target.mediaType.slice(0, 300))} invalid: invalid argument`,
    );
  if (target.mediaType === "") throw new InvalidArgument("Target.MediaType must be set: invalid argument");
}

function masked(current: Image, draft: Draft, fieldpaths: readonly string[]): Draft {
  let result: Draft = current;
  for (const path of fieldpaths) {
    if (path === "labels") result = { ...result, labels: draft.labels };
    else if (path.startsWith("labels."))
      result = { ...result, labels: withEntry(result.labels, draft.labels, path.slice("labels.".length)) };
    else if (path === "target") result = { ...result, target: draft.target };
    else if (path === "annotations")
      result = { ...result, target: { ...result.target, annotations: draft.target.annotations } };
    else if (path.startsWith("annotations.")) {
      const annotations = withEntry(
        result.target.annotations,
        draft.target.annotations,
        path.slice("annotations.".length),
      );
      result = { ...result, target: { ...result.target, annotations } };
    } else throw new InvalidArgument(`cannot update "${path}" field on image "${draft.name}": invalid argument`);
  }
  return result;
}
