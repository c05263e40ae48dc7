/** Runs database commands for a thread that waits for them: one message in, one out, and a count that wakes the waiter. Decides nothing. */
const { parentPort, workerData } = require('node:worker_threads');
const { EJSON } = require('bson');
const { MongoClient } = require('mongodb');

const clients = new Map();

function clientOf(host) {
  let client = clients.get(host);
  if (!client) {
    client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 2_000 });
    clients.set(host, client);
  }
  return client;
}

parentPort.on('message', async ({ id, host, command }) => {
  let answer;
  try {
    answer = { reply: await clientOf(host).db('admin').command(EJSON.parse(command)) };
  } catch (error) {
    answer = { error: { code: error.code, codeName: error.codeName, errmsg: error.errmsg || error.message } };
  }
  workerData.port.postMessage({ id, answer: EJSON.stringify(answer) });
  Atomics.add(workerData.count, 0, 1);
  Atomics.notify(workerData.count, 0);
});
