import { Unknown } from "@longshore/errdefs";
import type { ResolvedUser } from "../contract.ts";

/** Reads a file of the container's root; undefined when it does not exist. */
export type ReadRootFile = (path: "/etc/passwd" | "/etc/group") => Promise<string | undefined>;

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const maxId = 2 ** 31 - 1;

const numeric = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined);

function checkRange(id: number): number {
  if (id < 0 || id > maxId) throw new Unknown(`uids and gids must be in range 0-${maxId}`);
  return id;
}

function fields(text: string): string[][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}

function parsePasswd(text: string): PasswdEntry[] {
  return fields(text).map(([name = "", , uid = "", gid = ""]) => ({
    name,
    uid: numeric(uid) ?? 0,
    gid: numeric(gid) ?? 0,
  }));
}

function parseGroup(text: string): GroupEntry[] {
  return fields(text).map(([name = "", , gid = "", members = ""]) => ({
    name,
    gid: numeric(gid) ?? 0,
    members: members.split(",").map((member) => member.trim()),
  }));
}

function findGroup(groups: GroupEntry[], wanted: string): number {
  const number = numeric(wanted);
  const found = groups.find((group) => (number === undefined ? group.name === wanted : group.gid === number));
  if (found !== undefined) return found.gid;
  if (number === undefined) throw new Unknown(`unable to find group ${wanted}: no matching entries in group file`);
  return checkRange(number);
}

/** `--group-add`: names, or numbers, which need no entry; each group counts once. */
function additionalGroups(groups: GroupEntry[], wanted: readonly string[]): number[] {
  return [...new Set(wanted.map((name) => findGroup(groups, name)))];
}

/**
 * Resolves `[user][:group]` in a container's own /etc/passwd and /etc/group. A user that is a
 * number need not be listed; without a group, the user's own one and all that list the user count.
 * @param groupAdd `--group-add`
 * @throws Unknown `unable to find user x: no matching entries in passwd file`, `unable to find
 *   group x: …`, `uids and gids must be in range 0-2147483647`
 */
export async function resolveUser(
  readFile: ReadRootFile,
  spec: string,
  groupAdd: readonly string[],
): Promise<ResolvedUser> {
  const [userArg = "", groupArg = ""] = spec.split(":");
  const uidArg = userArg === "" ? 0 : numeric(userArg);
  const users = parsePasswd((await readFile("/etc/passwd")) ?? "");
  const groups = parseGroup((await readFile("/etc/group")) ?? "");
  const entry = users.find((user) => (uidArg === undefined ? user.name === userArg : user.uid === uidArg));
  if (entry === undefined && uidArg === undefined) {
    throw new Unknown(`unable to find user ${userArg}: no matching entries in passwd file`);
  }
  const uid = entry?.uid ?? checkRange(uidArg ?? 0);
  let gid = entry?.gid ?? 0;
  let supplementary: number[] = [];
  if (groupArg !== "") {
    gid = findGroup(groups, groupArg);
  } else if (entry !== undefined) {
    supplementary = groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid);
  }
  // One group may come thrice: as the user's own, as one that lists it and as one that is added.
  return { uid, gid, additionalGids: [gid, ...supplementary, ...additionalGroups(groups, groupAdd)] };
}
