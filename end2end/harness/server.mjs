// The real server, as a person starts it: its own data directory, a free port, the link read from what it prints.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const binary = process.env.SANDBOX_BINARY ?? join(root, "target/release/sandbox");

export class Server {
  /** Starts a server; `arguments` are more options for `sandbox serve`. */
  static async start({ data = mkdtempSync(join(tmpdir(), "sandbox-e2e-")), options = [], environment = {} } = {}) {
    if (!existsSync(binary)) throw new Error(`No server at ${binary}: build it with make build.`);
    const server = new Server();
    Object.assign(server, { data, options, environment, listen: "127.0.0.1:0", output: "" });
    await server.#spawn();
    return server;
  }

  /** The address without a slash at the end. */
  origin;
  /** The one-time link that the first start printed. */
  link;

  async #spawn() {
    const child = spawn(binary, ["serve", "--data-dir", this.data, "--listen", this.listen, ...this.options], {
      cwd: root, env: { ...surroundings(), ...this.environment }, stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    const output = { text: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => { output.text += text; this.output += text; });
    child.stderr.setEncoding("utf8").on("data", (text) => { output.text += text; this.output = (this.output + text).slice(-200_000); });
    await until(() => {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}:\n${output.text}`);
      const origin = output.text.match(/https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/);
      if (!origin) return false;
      this.origin = origin[0];
      this.link ??= output.text.match(/https?:\/\/[^\s"]*sign-in[^\s"]*(?=\s)/)?.[0];
      // The first start prints a link too.
      return Boolean(this.link);
    }, "the server prints its address", 30_000, () => output.text);
    // From now on the same port: a restart must be found where the first one was.
    this.listen = new URL(this.origin).host;
    await until(async () => (await fetch(`${this.origin}/readyz`).catch(() => null))?.ok, "the server is ready", 30_000);
  }

  /** A new one-time link, as an operator asks for it. */
  signInLink(...more) {
    const asked = spawnSync(binary, ["sign-in-link", "--data-dir", this.data, ...more], { encoding: "utf8" });
    const link = asked.stdout.match(/https?:\/\/\S+/)?.[0] ?? asked.stdout.match(/\S*sign-in\S*/)?.[0];
    if (!link) throw new Error(`No link: ${asked.stdout}${asked.stderr}`);
    const asUrl = new URL(link, this.origin);
    return `${this.origin}${asUrl.pathname}${asUrl.search}`;
  }

  /** Ends the server (`SIGTERM` politely, `SIGKILL` without a word); its terminals go on. */
  async end(signal = "SIGTERM") {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    await gone;
  }

  /** Starts it again on the same data and port. */
  async again() { await this.#spawn(); }

  /** Ends everything of this server, terminals too, and removes its data. */
  async dispose() {
    await this.end();
    for (const pid of descendants(this.data)) try { process.kill(pid, "SIGKILL"); } catch { /* it was faster */ }
    rmSync(this.data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** The processes that live in a data directory: hosts that outlived their server, and what runs under them. */
function descendants(data) {
  const table = spawnSync("ps", ["-eo", "pid=,pgid=,args="], { encoding: "utf8" }).stdout.split("\n")
    .map((line) => line.match(/^\s*(\d+)\s+(\d+)\s+(.*)$/)).filter(Boolean)
    .map(([, pid, group, text]) => ({ pid: Number(pid), group: Number(group), text }));
  return table.filter(({ text, pid }) => pid !== process.pid && text.includes(data)).map(({ pid }) => pid);
}

/** What a person's shell gives to the server: not what the runner of these tests has set for itself. */
function surroundings() {
  const ours = Object.entries(process.env).filter(([name]) => !/^(SANDBOX_|NODE_TEST|DATABASE_URL$|XDG_)/.test(name));
  const authorities = "/etc/ssl/certs/ca-certificates.crt";
  return { LANG: "C.UTF-8", ...(existsSync(authorities) ? { NODE_EXTRA_CA_CERTS: authorities } : {}), ...Object.fromEntries(ours) };
}

/** Asks until the answer is true; says what it waited for when it never is. */
export async function until(condition, what, limit = 10_000, more = () => "") {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited ${limit / 1000} s in vain: ${what}\n${more()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
