import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { complaints, permits, rules } from "./licences.mjs";

const ours = rules(readFileSync(new URL("../deny.toml", import.meta.url), "utf8"));
const REGISTRY = "registry+https://github.com/rust-lang/crates.io-index";
const good = { name: "good", version: "1.0.0", license: "MIT", source: REGISTRY, isOurs: false };

test("deny.toml is understood", () => {
  assert.ok(ours.allowed.has("MIT") && ours.allowed.has("Apache-2.0 WITH LLVM-exception"));
  assert.ok(ours.targets.includes("wasm32-unknown-unknown"));
  assert.equal(ours.banned.get("chrono").reason, "time is our calendar");
  assert.ok(ours.banned.size > 3);
});

test("a deny.toml that says less is no permission", () => {
  assert.throws(() => rules(""), /deny.toml/);
  assert.throws(() => rules('[graph]\ntargets = ["a"]\n[licenses]\nallow = ["MIT"]\n[bans]\ndeny = []\n[sources]\nunknown-git = "deny"'), /unknown-registry/);
});

test("expressions are read as SPDX reads them", () => {
  const allowed = new Set(["MIT", "BSD-3-Clause", "Apache-2.0 WITH LLVM-exception"]);
  for (const [expression, fits] of [
    ["MIT", true], ["GPL-3.0", false], ["GPL-3.0 OR MIT", true], ["GPL-3.0/MIT", true], ["MIT AND GPL-3.0", false],
    ["(GPL-3.0 OR MIT) AND BSD-3-Clause", true], ["GPL-3.0 OR MIT AND BSD-3-Clause", true], ["MIT OR GPL-3.0 AND GPL-2.0", true],
    ["Apache-2.0", false], ["Apache-2.0 WITH LLVM-exception", true], ["MIT WITH LLVM-exception", false],
  ]) assert.equal(permits(expression, allowed), fits, expression);
  for (const nonsense of ["", "MIT OR", "(MIT", "MIT)", "MIT BSD-3-Clause", "AND MIT"]) assert.throws(() => permits(nonsense, allowed), undefined, nonsense);
});

test("what is not allowed is told, each with its reason", () => {
  assert.deepEqual(complaints([good, { ...good, source: null, isOurs: true }], ours), []);
  const told = (change) => complaints([{ ...good, ...change }], ours);
  assert.match(told({ license: "GPL-3.0-only" })[0], /GPL-3\.0-only/);
  assert.match(told({ license: null })[0], /no licence/);
  assert.match(told({ name: "chrono" })[0], /time is our calendar/);
  assert.match(told({ name: "chrono", dependents: ["openidconnect", "server"] })[0], /time is our calendar/);
  assert.deepEqual(told({ name: "chrono", dependents: ["openidconnect"] }), []);
  assert.match(told({ name: "openssl-sys", dependents: [] })[0], /rustls/);
  assert.match(told({ source: "git+https://example.org/x" })[0], /not from the registry/);
  assert.match(told({ source: null })[0], /a folder/);
});

test("a licence that is taken from the list is missed", () => {
  const less = { ...ours, allowed: new Set([...ours.allowed].filter((name) => name !== "MIT")) };
  assert.equal(complaints([good], less).length, 1);
});
