// Builds again and restarts the server when a source changes:  node scripts/dev.mjs <arguments of sandbox>
// Only the server restarts; terminals live in their own processes and are found again.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sources = ["app", "frontend", "server", "crates", "style", "public"];
const steps = [
  ["scripts/wasm", "dev"],
  ["node", "scripts/site.mjs", "dev"],
  ["cargo", "build", "-p", "server", "-p", "host"],
];
let server;
let waiting;

for (const source of sources) if (existsSync(join(root, source))) follow(join(root, source));
process.on("SIGINT", stop);
process.on("SIGTERM", stop);
start();

function follow(directory) {
  // Recursive watching is not everywhere: one watcher a folder is, and there are few folders.
  watch(directory, (_, name) => {
    if (!name || /(~|\.swp|\.tmp)$/.test(name) || name.startsWith(".")) return;
    clearTimeout(waiting);
    waiting = setTimeout(rebuild, 200);
  });
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== "node_modules") follow(join(directory, entry.name));
}

function rebuild() {
  const failed = steps.some(([command, ...rest]) => spawnSync(command, rest, { cwd: root, stdio: "inherit" }).status !== 0);
  if (failed) console.log("  Not built; the old server goes on.");
  else restart();
}

function restart() {
  if (!server || server.exitCode !== null) { start(); return; }
  server.once("exit", start);
  server.kill("SIGTERM");
}

function start() {
  server = spawn(join(root, "target/debug/sandbox"), process.argv.slice(2), { cwd: root, stdio: "inherit" });
}

function stop() {
  if (server?.exitCode === null) server.once("exit", () => process.exit(0)).kill("SIGTERM");
  else process.exit(0);
}
