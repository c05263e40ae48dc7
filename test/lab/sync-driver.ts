/** The mongodb driver with a synchronous `adminCommand`, as mongosh has it: another thread talks while the caller's waits. */
import { join } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { EJSON } from 'bson';

export type Command = Record<string, unknown>;
export type Answer = Record<string, unknown>;

const ANSWER_MS_MAX = 20_000;

export class SyncDriver {
  private readonly count = new Int32Array(new SharedArrayBuffer(4));
  private readonly answers = new Map<number, { reply?: Answer; error?: Answer }>();
  private readonly channel = new MessageChannel();
  private readonly worker: Worker;
  private lastId = 0;

  constructor() {
    const { port2 } = this.channel;
    this.worker = new Worker(join(__dirname, 'driver-worker.js'), {
      workerData: { port: port2, count: this.count },
      transferList: [port2],
    });
  }

  /** Sends a command and goes on; `answerOf` has the answer. */
  send(host: string, command: Command): number {
    this.lastId += 1;
    this.worker.postMessage({ id: this.lastId, host, command: EJSON.stringify(command) });
    return this.lastId;
  }

  /** Waits for the answer to what was sent. @throws an error with MongoDB's `code`, `codeName` and `errmsg`, as the shell does. */
  answerOf(id: number): Answer {
    const endMs = Date.now() + ANSWER_MS_MAX;
    for (;;) {
      const seen = Atomics.load(this.count, 0);
      for (let got = receiveMessageOnPort(this.channel.port1); got; got = receiveMessageOnPort(this.channel.port1))
        this.answers.set(got.message.id, EJSON.parse(got.message.answer));
      const answer = this.answers.get(id);
      if (answer?.error) throw Object.assign(new Error(String(answer.error.errmsg)), answer.error);
      if (answer?.reply) return answer.reply;
      if (Date.now() > endMs) throw new Error(`command ${id}: no answer within ${ANSWER_MS_MAX} ms`);
      Atomics.wait(this.count, 0, seen, 1_000);
    }
  }

  ask(host: string, command: Command): Answer {
    return this.answerOf(this.send(host, command));
  }

  pause(forMs: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
  }

  async end(): Promise<void> {
    this.channel.port1.close();
    await this.worker.terminate();
  }
}
