/** Virtual time: events in order, and async handlers that sleep in it. Never waits for real time, never reads a real clock. */

interface Event {
  atMs: number;
  /** Order among events of the same moment. */
  order: number;
  run: () => void;
  /** Wakes promises: what follows from it must settle before time goes on. */
  isAsync: boolean;
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** All microtasks are done when an immediate runs; handlers here wait for nothing else. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class Scheduler {
  private readonly heap: Event[] = [];
  private orders = 0;

  constructor(public nowMs: number) {}

  private add(delayMs: number, run: () => void, isAsync: boolean): void {
    push(this.heap, { atMs: this.nowMs + Math.max(0, delayMs), order: this.orders++, run, isAsync });
  }

  /** Runs something later; it must not be async itself. */
  after(delayMs: number, run: () => void): void {
    this.add(delayMs, run, false);
  }

  /** Starts an async handler later; `run` returns its promise, errors are its own business. */
  spawn(delayMs: number, run: () => Promise<void>): void {
    this.add(delayMs, () => void run(), true);
  }

  /** Suspends an async handler. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.add(delayMs, resolve, true));
  }

  /** Runs until a moment, or until `isOver` says so after an event; answers whether it did. */
  async runUntil(untilMs: number, isOver: () => boolean = () => false): Promise<boolean> {
    for (let event = this.heap[0]; event && event.atMs <= untilMs; event = this.heap[0]) {
      pop(this.heap);
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.run();
      if (event.isAsync) await settle();
      if (isOver()) return true;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    return isOver();
  }
}

/** Adds an event to a binary heap. */
function push(heap: Event[], event: Event): void {
  heap.push(event);
  for (let i = heap.length - 1; i > 0; ) {
    const up = (i - 1) >> 1;
    const parent = heap[up];
    if (!parent || isBefore(parent, event)) break;
    heap[i] = parent;
    heap[up] = event;
    i = up;
  }
}

/** Removes the first event of a binary heap. */
function pop(heap: Event[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  heap[0] = last;
  for (let i = 0; ; ) {
    let best = i;
    for (const child of [2 * i + 1, 2 * i + 2]) {
      const [c, b] = [heap[child], heap[best]];
      if (c && b && isBefore(c, b)) best = child;
    }
    const [a, b] = [heap[i], heap[best]];
    if (best === i || !a || !b) return;
    heap[i] = b;
    heap[best] = a;
    i = best;
  }
}
