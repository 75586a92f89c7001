// Whether everything that the build brings in is allowed by deny.toml: licences, banned libraries, sources. What
// cargo-deny would say too, for machines without it; it needs cargo and the lock file, and nothing else.
//   node scripts/licences.mjs
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const REGISTRY = "registry+https://github.com/rust-lang/crates.io-index";

/** What deny.toml says, as far as it is looked at here; throws where it does not say it. */
export function rules(toml) {
  const sections = new Map();
  let section = "";
  for (const line of toml.split("\n")) {
    const head = line.match(/^\s*\[([^\]]+)\]\s*$/);
    if (head) section = head[1].trim();
    else sections.set(section, `${sections.get(section) ?? ""}${line.replace(/^\s*#.*$/, "")}\n`);
  }
  const list = (section, key) => {
    const found = sections.get(section)?.match(new RegExp(`^\\s*${key}\\s*=\\s*\\[([\\s\\S]*?)\\n?\\]`, "m"));
    if (!found) throw new Error(`deny.toml has no ${key} in [${section}].`);
    return found[1];
  };
  const strings = (text) => [...text.matchAll(/"([^"]*)"/g)].map(([, string]) => string);
  for (const key of ["unknown-registry", "unknown-git"]) {
    if (!sections.get("sources")?.match(new RegExp(`^\\s*${key}\\s*=\\s*"deny"`, "m"))) throw new Error(`deny.toml does not deny ${key}.`);
  }
  return {
    targets: strings(list("graph", "targets")),
    allowed: new Set(strings(list("licenses", "allow"))),
    banned: new Map([...list("bans", "deny").matchAll(/\{[^}]*?\bname\s*=\s*"([^"]+)"(?:[^}]*?\breason\s*=\s*"([^"]*)")?[^}]*\}/g)]
      .map(([, name, reason]) => [name, reason ?? "deny.toml says so"])),
  };
}

/** Whether an SPDX expression can be satisfied with these licences; throws where it is none. */
export function permits(expression, allowed) {
  // The old way of writing "or".
  const words = expression.replaceAll("/", " OR ").match(/[()]|[^\s()]+/g) ?? [];
  const any = () => {
    let fits = all();
    while (words[0] === "OR") { words.shift(); fits = all() || fits; }
    return fits;
  };
  const all = () => {
    let fits = one();
    while (words[0] === "AND") { words.shift(); fits = one() && fits; }
    return fits;
  };
  const one = () => {
    const word = words.shift();
    if (word === "(") {
      const fits = any();
      if (words.shift() !== ")") throw new Error(`"${expression}" is no licence expression.`);
      return fits;
    }
    if (!word || /^(?:\)|OR|AND|WITH)$/.test(word)) throw new Error(`"${expression}" is no licence expression.`);
    const name = words[0] === "WITH" ? `${word} ${words.shift()} ${words.shift()}` : word;
    return allowed.has(name);
  };
  const fits = any();
  if (words.length) throw new Error(`"${expression}" is no licence expression.`);
  return fits;
}

/** What is wrong with these packages, a sentence each. */
export function complaints(packages, { allowed, banned }) {
  const wrong = [];
  for (const { name, version, license, source, isOurs } of packages) {
    const what = `${name} ${version}`;
    if (banned.has(name)) wrong.push(`${what} is banned: ${banned.get(name)}.`);
    if (source === null ? !isOurs : source !== REGISTRY) wrong.push(`${what} comes from ${source ?? "a folder"}, not from the registry.`);
    try {
      if (!license) wrong.push(`${what} names no licence.`);
      else if (!permits(license, allowed)) wrong.push(`${what} is under ${license}, which deny.toml does not allow.`);
    } catch (error) {
      wrong.push(`${what}: ${error.message}`);
    }
  }
  return wrong;
}

/** Every package that is built, tested or run on one of these targets, from the lock file. */
function resolved(targets) {
  const packages = new Map();
  for (const target of targets) {
    const json = execFileSync("cargo", ["metadata", "--format-version", "1", "--locked", "--filter-platform", target],
      { cwd: root, encoding: "utf8", maxBuffer: 256 << 20, stdio: ["ignore", "pipe", "inherit"] });
    const metadata = JSON.parse(json), built = new Set(metadata.resolve.nodes.map((node) => node.id)), ours = new Set(metadata.workspace_members);
    for (const one of metadata.packages) if (built.has(one.id)) packages.set(one.id, { ...one, isOurs: ours.has(one.id) });
  }
  return [...packages.values()];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const said = rules(readFileSync(join(root, "deny.toml"), "utf8"));
  const packages = resolved(said.targets), wrong = complaints(packages, said);
  for (const sentence of wrong) console.error(sentence);
  console.log(`${packages.length} packages for ${said.targets.length} targets: ${wrong.length ? `${wrong.length} complaints` : "all allowed by deny.toml"}`);
  process.exitCode = wrong.length || packages.length < 2 ? 1 : 0;
}
