// Turns the built pieces into what the server sends: target/site with hashed names, compressed ahead, and a
// manifest.json that says which logical name is which file.
//   node scripts/site.mjs release|dev
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const flavour = process.argv[2] ?? "release";
const release = flavour === "release";
const wasm = join(root, "target/wasm/site", flavour);
const site = join(root, "target/site");
const written = new Set();
const files = {};

const pieces = Object.fromEntries(readdirSync(wasm).filter((name) => /^(split|chunk)_\w+\.wasm$/.test(name))
  .map((name) => [name, hashed(`pkg/${name}`, readFileSync(join(wasm, name)))]));
const loader = readFileSync(join(wasm, "__wasm_split.js"), "utf8");
const parts = partsOf(loader);
/** The loader fetches pieces by the names that they have here. */
const renamed = {
  name: "renamed",
  setup: (bundler) => bundler.onLoad({ filter: /__wasm_split\.js$/ }, () => ({
    contents: loader.replaceAll(/"\.\/((?:split|chunk)_\w+\.wasm)"/g, (_, name) => JSON.stringify(pieces[name])),
  })),
};

const glue = await bundle(join(wasm, "app.js"));
const xterm = await bundle(join(root, "app/js/xterm.js"));
const addresses = {
  "app.js": hashed("pkg/app.js", glue),
  "app.wasm": hashed("pkg/app_bg.wasm", readFileSync(join(wasm, "app_bg.wasm"))),
  "app.css": hashed("pkg/app.css", stylesheet()),
  "xterm.js": hashed("pkg/xterm.js", xterm),
  "xterm.css": hashed("pkg/xterm.css", (await bundle(join(root, "node_modules/@xterm/xterm/css/xterm.css")))),
};
hashed("pkg/boot.js", Buffer.from(boot()));
for (const path of walk(join(root, "public"))) plain(relative(join(root, "public"), path), readFileSync(path));
put("manifest.json", Buffer.from(JSON.stringify({ profile: flavour, files, parts }, null, 1)));
for (const path of walk(site)) if (!written.has(relative(site, path))) rmSync(path);
report();

/** The one script that the page names: everything else is reached from here, so the policy needs no inline script. */
function boot() {
  return `import init, { hydrate } from ${JSON.stringify(addresses["app.js"])};
globalThis.sandboxAssets = ${JSON.stringify(addresses)};
await init({ module_or_path: ${JSON.stringify(addresses["app.wasm"])} });
await hydrate();
document.documentElement.dataset.hydrated = "";
// What the other pages need comes while nothing else happens, so that going there waits for nothing.
const pieces = ${JSON.stringify(ahead())};
const fetchAhead = () => {
  for (const href of pieces) document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href }));
};
if (!navigator.connection?.saveData) (globalThis.requestIdleCallback ?? setTimeout)(fetchAhead);
`;
}

/** What everybody comes to next: a few pages are for few people, and wait until they are gone to. */
function ahead() {
  return [...new Set(["list", "session", "own"].flatMap((part) => parts[part]))];
}

/** Which pieces make which part, read from the loader that the splitter wrote. */
function partsOf(text) {
  const piece = (name) => pieces[name] ?? fail(`the loader names ${name}, which was not built`);
  const parts = {};
  for (const [, part, own, shared] of text.matchAll(/__wasm_split_load_(\w+) = [^;]*?"\.\/(split_\w+\.wasm)"[\s\S]*?, \[([^\]]*)\]/g))
    parts[part] = [piece(own), ...shared.split(",").map((name) => name.trim()).filter(Boolean)
      .map((name) => piece(`${name.replace(/^__/, "")}.wasm`))];
  return Object.keys(parts).length ? parts : fail("the splitter's loader is not understood");
}

function fail(why) {
  console.error(`  ${why}`);
  process.exit(1);
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [entry], bundle: true, write: false, format: "esm", target: ["es2022"],
    minify: release, sourcemap: release ? false : "inline", legalComments: "none", logLevel: "warning",
    absWorkingDir: root, outdir: "out", plugins: [renamed],
    // Each part imports the loader once more under the same name.
    logOverride: { "duplicate-object-key": "silent" },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function stylesheet() {
  const out = join(root, "target/wasm/site", `app.${flavour}.css`);
  mkdirSync(dirname(out), { recursive: true });
  const tailwind = join(root, "node_modules/.bin/tailwindcss");
  execFileSync(tailwind, ["-i", "style/main.css", "-o", out, ...(release ? ["--minify"] : [])], {
    cwd: root, stdio: ["ignore", "ignore", "pipe"],
  });
  return readFileSync(out);
}

/** The name by which a file with a hash is known. */
function logical(address) {
  return Object.keys(files).find((name) => `/${files[name].file}` === address);
}

/** Keeps a file under a name that changes with its content, so that browsers may keep it for ever. */
function hashed(path, content) {
  const hash = createHash("sha256").update(content).digest("base64url").replaceAll(/[-_]/g, "").slice(0, 10);
  const extension = extname(path);
  const address = `${path.slice(0, -extension.length)}.${hash}${extension}`;
  const name = path.replace("pkg/", "").replace("app_bg.wasm", "app.wasm");
  files[name] = { file: address, immutable: true, ...stored(address, content) };
  return `/${address}`;
}

function plain(path, content) {
  files[path] = { file: path, immutable: false, ...stored(path, content) };
}

function stored(path, content) {
  put(path, content);
  const sizes = { bytes: content.length, br: null, gz: null };
  const compressible = /\.(js|css|wasm|svg|html|json|webmanifest|txt|xml|ico)$/.test(path);
  if (release && compressible && content.length > 256) {
    sizes.br = put(`${path}.br`, () => brotli(content));
    sizes.gz = put(`${path}.gz`, () => gzipSync(content, { level: 9 }));
  }
  return sizes;
}

function brotli(content) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  return brotliCompressSync(content, { params });
}

/** Writes only what differs: an untouched file keeps its time, and the server is not compiled again for nothing. */
function put(path, content) {
  const target = join(site, path);
  written.add(path);
  const immutable = /\.[A-Za-z0-9]{10}\.\w+(\.br|\.gz)?$/.test(path);
  if (immutable && existsSync(target)) return readFileSync(target).length;
  const bytes = typeof content === "function" ? content() : content;
  if (!existsSync(target) || !readFileSync(target).equals(bytes)) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  return bytes.length;
}

function* walk(directory) {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

function report() {
  const kib = (n) => (n == null ? "-" : `${(n / 1024).toFixed(1)} KiB`).padStart(11);
  const sum = (names, key) => names.reduce((total, name) => total + (files[name][key] ?? files[name].bytes), 0);
  console.log(`  ${"static files".padEnd(28)}${"raw".padStart(11)}${"brotli".padStart(12)}`);
  const rows = { "app.wasm": ["app.wasm"], "app.js + boot.js": ["app.js", "boot.js"], "app.css": ["app.css"],
    "= shell of the app": ["app.wasm", "app.js", "boot.js", "app.css"],
    ...Object.fromEntries(Object.entries(parts).map(([part, files]) => [`pages: ${part}`, files.map(logical)])),
    "xterm (only with a terminal)": ["xterm.js", "xterm.css"] };
  for (const [label, names] of Object.entries(rows))
    console.log(`  ${label.padEnd(28)}${kib(sum(names, "bytes"))} ${release ? kib(sum(names, "br")) : "-".padStart(11)}`);
  const shell = sum(rows["= shell of the app"], "br") / 1024;
  if (release && shell > 300) console.log(`  The shell is over its aim of 300 KiB by ${(shell - 300).toFixed(1)} KiB.`);
}
