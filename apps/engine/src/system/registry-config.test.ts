import assert from "node:assert/strict";
import { registryConfig } from "./registry-config.ts";

describe("registries in /info", () => {
  it("insecure ones by host or network, mirrors with a slash at the end", () => {
    const told = registryConfig({
      registryMirrors: ["http://m.example"],
      insecureRegistries: ["reg.local:5000", "10.0.0.0/8", "http://h.example:80"],
    });
    assert.deepEqual(told.InsecureRegistryCIDRs, ["10.0.0.0/8", "::1/128", "127.0.0.0/8"]);
    assert.deepEqual(told.Mirrors, ["http://m.example/"]);
    assert.deepEqual(Object.values(told.IndexConfigs), [
      { Mirrors: [], Name: "reg.local:5000", Official: false, Secure: false },
      { Mirrors: [], Name: "h.example:80", Official: false, Secure: false },
      { Mirrors: ["http://m.example/"], Name: "docker.io", Official: true, Secure: true },
    ]);
    assert.equal(registryConfig({ registryMirrors: [], insecureRegistries: [] }).Mirrors, null);
  });
});
