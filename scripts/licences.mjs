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
    const found = sections.get(section)?.match(new RegExp(`^\\s*${key}\\s*=\\s*\\[((?:[^\\[\\]]|\\[[^\\]]*\\])*)\\]`, "m"));
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
    // A banned library may stand below those that are named as its wrappers, and below nothing else.
    banned: new Map([...list("bans", "deny").matchAll(/\{([^}]*)\}/g)].map(([, entry]) => {
      const name = entry.match(/\bname\s*=\s*"([^"]+)"/)?.[1];
      if (!name) throw new Error(`deny.toml bans something without a name: ${entry.trim()}`);
      const reason = entry.match(/\breason\s*=\s*"([^"]*)"/)?.[1] ?? "deny.toml says so";
      return [name, { reason, wrappers: strings(entry.match(/\bwrappers\s*=\s*\[([^\]]*)\]/)?.[1] ?? "") }];
    })),
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
  for (const { name, version, license, source, isOurs, dependents = ["something"] } of packages) {
    const what = `${name} ${version}`;
    const ban = banned.get(name);
    if (ban && !(ban.wrappers.length && dependents.every((above) => ban.wrappers.includes(above)))) wrong.push(`${what} is banned: ${ban.reason}.`);
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
    const names = new Map(metadata.packages.map(({ id, name }) => [id, name])), above = new Map();
    for (const node of metadata.resolve.nodes)
      for (const below of node.dependencies) above.set(below, [...(above.get(below) ?? []), names.get(node.id)]);
    for (const one of metadata.packages) {
      if (!built.has(one.id)) continue;
      const dependents = [...(packages.get(one.id)?.dependents ?? []), ...(above.get(one.id) ?? [])];
      packages.set(one.id, { ...one, isOurs: ours.has(one.id), dependents });
    }
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
