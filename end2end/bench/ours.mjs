// Our own side: the real release server and its hosts, spoken to in `sandbox.terminal.v1` as the page speaks to it.
import { linkSync } from "node:fs";
import { join } from "node:path";
import WebSocket from "ws";
import { Server } from "../harness/server.mjs";
import { Api } from "../harness/api.mjs";
import { Line } from "./line.mjs";
import { text } from "./measures.mjs";
import { family } from "./process.mjs";

const OUTPUT = 1, SNAPSHOT = 2, INPUT = 3;

export class Ours {
  name = "sandbox";

  static async start(folder, options = {}) {
    const ours = new Ours();
    ours.text = join(folder, text);
    ours.server = await Server.start(options);
    ours.api = await Api.signIn(ours.server);
    return ours;
  }

  /** A new session with a shell, and a connection to it. */
  async open() {
    const session = await this.api.openSession({ agent: "shell", name: "bench" });
    // A session reads nothing outside of its own folders.
    linkSync(this.text, join(this.server.data, "sessions", session.id, "workspace", text));
    return this.attach(session.id);
  }

  /** One more viewer of a session; a stalled one acknowledges nothing. */
  async attach(id, { stalled = false } = {}) {
    const line = new Line();
    line.session = id;
    const address = `${this.server.origin.replace("http", "ws")}/api/v1/sandbox/sessions/${id}/attach`;
    line.socket = new WebSocket(address, "sandbox.terminal.v1", { headers: this.api.headers, perMessageDeflate: false, skipUTF8Validation: true });
    let typed = 0, acknowledged = 0;
    line.snapshotBytes = 0;
    line.socket.on("message", (data, binary) => {
      if (!binary) {
        const message = JSON.parse(data);
        if (message.type === "attached") typed = message.input;
        line.onmessage?.(message);
        return;
      }
      const position = Number(data.readBigUInt64BE(1));
      if (data[0] === SNAPSHOT) {
        line.snapshotBytes = data.length;
        line.arrived(data.subarray(13));
        acknowledged = position;
        return;
      }
      if (data[0] !== OUTPUT) return;
      line.arrived(data.subarray(9));
      const seq = position + data.length - 9;
      // As the page does: in steps, not for every frame.
      if (!stalled && seq - acknowledged >= 32 * 1024) { acknowledged = seq; line.socket.send(JSON.stringify({ type: "ack", seq })); }
    });
    line.send = (text) => {
      const bytes = Buffer.from(text), frame = Buffer.alloc(9 + bytes.length);
      frame[0] = INPUT;
      frame.writeBigUInt64BE(BigInt(typed), 1);
      bytes.copy(frame, 9);
      typed += bytes.length;
      line.socket.send(frame);
    };
    line.say = (message) => line.socket.send(JSON.stringify(message));
    line.socket.on("unexpected-response", (_, response) => console.error(`  attach answered ${response.statusCode}`));
    await line.first;
    return line;
  }

  /** The server and its hosts, not the programs in the terminals. */
  processes() { return family([this.server.child.pid], /sandbox/, this.server.data); }

  hosts() { return this.processes().filter((pid) => pid !== this.server.child.pid); }

  async stop() { await this.server.dispose(); }
}
