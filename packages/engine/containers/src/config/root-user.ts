import { closeSync, readdirSync, readFileSync } from "node:fs";
import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { type ReadRootFile, type ResolvedUser, resolveUser } from "@longshore/docker-spec";
import { type MountSpec, O, openInRoot } from "@longshore/sys";
import type { Container } from "../model/container.ts";
import type { Context } from "../model/context.ts";
import { withMounts, withRoot } from "../rootfs/rootfs.ts";

/** What was found in the files of images, by their layers and what was asked for. */
const known = new WeakMap<Context, Map<string, ResolvedUser>>();
const most = 256;

/** Reads files of a container's root, whose links lead nowhere else. */
function rootReader(root: string): ReadRootFile {
  return async (path) => {
    let fd: number;
    try {
      fd = openInRoot(root, path, O.RDONLY);
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw error;
    }
    try {
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  };
}

/**
 * The layers below a root on which nothing was changed yet: they stay as they are, and their snapshots'
 * numbers are never given again. Undefined for any other root.
 */
function untouchedLayers(mounts: readonly MountSpec[]): string | undefined {
  const [overlay, ...more] = mounts;
  if (overlay?.type !== "overlay" || more.length > 0) return undefined;
  const option = (key: string): string | undefined =>
    overlay.options?.find((text) => text.startsWith(`${key}=`))?.slice(key.length + 1);
  const upper = option("upperdir");
  return upper !== undefined && readdirSync(upper).length === 0 ? option("lowerdir") : undefined;
}

/**
 * Looks the user of a container that is about to start up in its own files. They are mounted for that,
 * unless the same was asked of the same image before and the container has changed nothing yet.
 */
export async function rootUser(
  context: Context,
  container: Container,
  mounts: readonly MountSpec[],
): Promise<ResolvedUser> {
  const { User } = container.record.Config;
  const groups = container.hostConfig.GroupAdd ?? [];
  const resolve = (): Promise<ResolvedUser> =>
    withMounts(context, mounts, (root) => resolveUser(rootReader(root), User, groups));
  const layers = untouchedLayers(mounts);
  if (layers === undefined) return resolve();
  const users = known.get(context) ?? new Map<string, ResolvedUser>();
  known.set(context, users);
  const key = JSON.stringify([layers, User, groups]);
  const user = users.get(key) ?? (await resolve());
  const [oldest] = users.keys();
  if (users.size >= most && oldest !== undefined) users.delete(oldest);
  users.set(key, user);
  return user;
}

/** Looks a user up in a container's own files; `undefined` when none is named. @throws InvalidArgument when it is not there: for an exec, unlike a start, that is the request's fault */
export async function execUser(
  context: Context,
  container: Container,
  name: string,
): Promise<ResolvedUser | undefined> {
  if (name === "") return undefined;
  return await withRoot(context, container, (root) =>
    resolveUser(rootReader(root), name, container.hostConfig.GroupAdd ?? []).catch((error: unknown) => {
      throw new InvalidArgument(messageOf(error), { cause: error });
    }),
  );
}
