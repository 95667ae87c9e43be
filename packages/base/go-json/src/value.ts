/** What a JSON text holds, as it was written: what a struct of the API makes of it, `decode` tells. */
export type Json = null | boolean | string | number | JsonNumber | JsonObject | Json[];

/** Members in their order, names that come twice and all. */
export class JsonObject {
  readonly members: [name: string, value: Json][] = [];
}

/** A number that is no plain integer of at most 15 digits. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
