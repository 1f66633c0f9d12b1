// Reading /stream.mjpg, and putting its newest picture on a canvas.
//
// An <img> would do, but the browser would then not tell when a frame came, when the
// stream ended, or why; and where pictures come faster than they decode it would
// fall behind. Here a newer picture replaces one that still waits.

const maxHeader = 4096, maxPicture = 64 << 20; // bytes; more is no stream of ours

// read calls onPart with the bytes of every picture, until the stream ends.
export async function read(url, signal, onPart) {
  const response = await fetch(url, { cache: "no-store", signal });
  if (!response.ok) throw new HTTPError(response.status);
  const reader = response.body.getReader();
  let header = "", part = null, filled = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (let i = 0; i < value.length;) {
      if (part === null) { // the boundary's line counts as header
        header += String.fromCharCode(value[i++]);
        if (header.endsWith("\r\n\r\n")) {
          part = new Uint8Array(contentLength(header));
          header = "", filled = 0;
        } else if (header.length > maxHeader) throw new Error("no multipart stream");
        continue;
      }
      const piece = value.subarray(i, i + part.length - filled);
      part.set(piece, filled);
      filled += piece.length, i += piece.length;
      if (filled === part.length) {
        onPart(part);
        part = null;
      }
    }
  }
}

export class HTTPError extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

function contentLength(header) {
  const n = Number(/^content-length: *(\d+)\r$/im.exec(header)?.[1] ?? NaN);
  if (!(n > 0 && n <= maxPicture)) throw new Error("a part without a usable length");
  return n;
}

// Painter decodes one picture at a time, always the newest.
export class Painter {
  shown = 0; // pictures drawn
  failed = 0; // pictures that the browser cannot decode
  #canvas; #context; #onSize; #waiting = null; #busy = false;

  // onSize is told the pictures' width and height, when they change.
  constructor(canvas, onSize) {
    this.#canvas = canvas;
    this.#onSize = onSize;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  async put(jpeg) {
    this.#waiting = jpeg;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting !== null) {
      const newest = this.#waiting;
      this.#waiting = null;
      await this.#paint(newest);
    }
    this.#busy = false;
  }

  async #paint(jpeg) {
    let picture;
    try {
      picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    } catch {
      this.failed++;
      return;
    }
    const { width, height } = picture;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#onSize(width, height);
    }
    this.#context.drawImage(picture, 0, 0);
    picture.close();
    this.shown++;
  }
}
