// The rival: ttyd, one process a connection, spoken to as its own page speaks to it.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { Line } from "./line.mjs";
import { family } from "./process.mjs";

const program = join(dirname(fileURLToPath(import.meta.url)), "../../.tools/rival/bin/ttyd");

export class Ttyd {
  name = "ttyd";

  static async start(folder) {
    const rival = new Ttyd();
    // -W: input is allowed; sh -l is what our own sessions run.
    rival.child = spawn(program, ["-W", "-p", "0", "-i", "127.0.0.1", "sh", "-l"], { stdio: ["ignore", "ignore", "pipe"], cwd: folder, env: { PATH: process.env.PATH, HOME: "/tmp", LANG: "C.UTF-8" } });
    rival.port = await new Promise((resolve, reject) => {
      let text = "";
      rival.child.stderr.setEncoding("utf8").on("data", (more) => {
        text += more;
        const port = text.match(/Listening on port: (\d+)/)?.[1];
        if (port) resolve(port);
      });
      rival.child.once("exit", () => reject(new Error(`ttyd ended:\n${text}`)));
    });
    return rival;
  }

  /** A new terminal: with ttyd every connection is one. */
  async open() { return this.attach(); }

  async attach() {
    const line = new Line();
    line.socket = new WebSocket(`ws://127.0.0.1:${this.port}/ws`, "tty", { perMessageDeflate: false, skipUTF8Validation: true });
    line.socket.on("open", () => line.socket.send(Buffer.from(JSON.stringify({ AuthToken: "", columns: 80, rows: 24 }))));
    line.socket.on("message", (data) => { if (data[0] === 0x30) line.arrived(data.subarray(1)); });
    line.send = (text) => line.socket.send(Buffer.concat([Buffer.from("0"), Buffer.from(text)]));
    await line.first;
    return line;
  }

  /** The processes that are ttyd's own, not the programs in its terminals. */
  processes() { return family([this.child.pid], /ttyd/); }

  async stop() {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }
}
