import { InvalidArgument } from "@longshore/errdefs";
import type { Container } from "../../model/container.ts";
import { type Context, emitContainer } from "../../model/context.ts";
import { prefixed } from "../stop/kill.ts";
import { checkName } from "../../model/names.ts";
import { adoptName } from "../../networking/network-sandbox.ts";

/** Gives a container another name. @throws InvalidArgument, Conflict with Docker's messages */
export async function renameContainer(context: Context, container: Container, wanted: string): Promise<void> {
  if (wanted === "") throw new InvalidArgument("Neither old nor new names may be empty");
  await container.lock.run(async () => {
    const { store } = context;
    const before = container.name;
    if (wanted.replace(/^\//, "") === before)
      throw new InvalidArgument("Renaming a container with the same name as its current name");
    let name: string;
    try {
      name = checkName(wanted.startsWith("/") ? wanted : `/${wanted}`);
      store.reserve(name, container.id);
    } catch (error) {
      throw prefixed("Error when allocating new name: ", error);
    }
    container.record.Name = `/${name}`;
    try {
      await container.save();
    } catch (error) {
      container.record.Name = `/${before}`;
      store.release(name, container.id);
      throw error;
    }
    store.release(before, container.id);
    await adoptName(context, container);
    emitContainer(context, container, "rename", { oldName: `/${before}` });
  });
}
