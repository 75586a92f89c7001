// A laptop of its own: a home, the command line, and a real terminal around it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, until } from "./server.mjs";

// Python's pty, because Node has none; what this process reads and writes is the terminal's other end.
const PTY = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

export class Laptop {
  home = mkdtempSync(join(tmpdir(), "sandbox-laptop-"));
  #programs = [];

  /** Runs `sandbox …` in a terminal; `output` grows as it is written. */
  run(...words) {
    const child = spawn("python3", ["-c", PTY, binary, ...words], {
      env: { HOME: this.home, PATH: process.env.PATH, TERM: "xterm-256color", LANG: "C.UTF-8" }, stdio: ["pipe", "pipe", "inherit"],
    });
    const program = {
      output: "",
      types: (text) => child.stdin.write(text),
      says: (text, limit = 20_000) => until(() => (typeof text === "string" ? program.output.includes(text) : text.test(program.output)) && program.output,
        `the laptop shows ${text}`, limit, () => program.output),
      ended: new Promise((resolve) => child.once("exit", (code) => resolve(code))),
    };
    child.stdout.setEncoding("utf8").on("data", (text) => { program.output += text; });
    this.#programs.push(child);
    return program;
  }

  dispose() {
    for (const child of this.#programs) child.kill("SIGKILL");
    rmSync(this.home, { recursive: true, force: true });
  }
}
