// One connection to a terminal, whoever serves it: bytes come, text goes, and one can wait for either.
export class Line {
  received = 0;
  #first;
  #waiting = [];
  #tail = "";

  constructor() {
    this.started = process.hrtime.bigint();
    this.first = new Promise((resolve) => { this.#first = resolve; });
  }

  /** Called by the client for every piece of output. */
  arrived(bytes) {
    this.received += bytes.length;
    if (this.#first) { this.#first(Number(process.hrtime.bigint() - this.started) / 1e6); this.#first = null; }
    if (this.#waiting.length === 0) return;
    // Only the end of a flood is looked at: markers are short.
    this.#tail = (this.#tail + bytes.subarray(Math.max(0, bytes.length - 4096)).toString("latin1")).slice(-8192);
    this.#waiting = this.#waiting.filter(({ test, resolve }) => !(test(this.#tail, this.received) && (resolve(), true)));
  }

  /** Resolves when `text` has come (from now on), or when so many bytes have. */
  until(wanted, limit = 120_000) {
    this.#tail = "";
    const test = typeof wanted === "number" ? (_, received) => received >= wanted : (tail) => tail.includes(wanted);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Waited ${limit / 1000} s for ${JSON.stringify(wanted)}; ${this.received} bytes came, the last: ${JSON.stringify(this.#tail.slice(-200))}`)), limit);
      this.#waiting.push({ test, resolve: () => { clearTimeout(timer); resolve(); } });
    });
  }

  close() { this.socket.terminate(); }
}
