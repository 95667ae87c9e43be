import assert from "node:assert/strict";
import { defaultProfileText, ensureAppArmorProfile } from "./apparmor.ts";
import { hostFacts } from "../testing/machine.ts";

describe("the AppArmor profile", () => {
  it("includes what AppArmor brings, or names /proc itself", () => {
    const whole = defaultProfileText({ tunables: true, base: true });
    assert.match(whole, /^#include <tunables\/global>\n\nprofile docker-default flags=/);
    assert.match(whole, /#include <abstractions\/base>/);
    const bare = defaultProfileText({ tunables: false, base: false });
    assert.match(bare, /^@\{PROC\}=\/proc\/\n/);
    assert.doesNotMatch(bare, /#include/);
    assert.match(bare, /deny mount,/);
  });

  it("is not loaded where there is no AppArmor", () => ensureAppArmorProfile(hostFacts));
});
