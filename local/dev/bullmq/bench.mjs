// Runs the work of a load test on BullMQ, over a real Redis.
//
//   node bench.mjs REDIS_URL JOBS_FILE CONCURRENCY PREFIX
//
// JOBS_FILE has one JSON object per line and job: {priority, fails, attempts, backoffMs,
// args}. Each output line is JSON: {done} for progress, {result} at the end. Every key is
// removed afterwards.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [url, file, concurrency, prefix] = process.argv.slice(2);
const BULK = 100;

// Connection setup and the INFO command itself do not count as work.
const HOUSEKEEPING = /^(info|hello|auth|select|ping|client\b.*|config\b.*)$/;

const connection = new Redis(url, { maxRetriesPerRequest: null });
connection.on('error', (error) => {
  console.error(`Redis at ${url}: ${error.message || error.code}`);
  process.exit(1);
});
const say = (words) => console.log(JSON.stringify(words));
const version = createRequire(import.meta.url)('bullmq/package.json').version;

const jobs = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const queue = new Queue('load', { connection, prefix });
await queue.waitUntilReady();
// A separate connection, as a worker in another process has.
const workerConnection = new Redis(url, { maxRetriesPerRequest: null });
await workerConnection.ping();

const idleBytes = await redisBytes();
let before = await commands();
let started = performance.now();
for (let n = 0; n < jobs.length; n += BULK) {
  await queue.addBulk(jobs.slice(n, n + BULK).map(toBullMq));
}
const enqueue = { ms: performance.now() - started, commands: (await commands()) - before };

const settleMs = [];
let done = 0;
let failures = 0;
before = await commands();
const cpuBefore = process.cpuUsage();
started = performance.now();
const worker = new Worker('load', run, {
  connection: workerConnection,
  prefix,
  concurrency: Number(concurrency),
});
worker.on('error', (error) => {
  console.error(`worker: ${error.message}`);
  process.exit(1);
});
await new Promise((all) => {
  worker.on('failed', (job) => {
    settleMs.push(performance.now() - job.ended);
    failures += 1;
  });
  worker.on('completed', (job) => {
    settleMs.push(performance.now() - job.ended);
    done += 1;
    if (done % 500 === 0) say({ done });
    if (done === jobs.length) all();
  });
});
const drain = { ms: performance.now() - started, commands: (await commands()) - before };
const cpu = process.cpuUsage(cpuBefore);
const redisGrowth = (await redisBytes()) - idleBytes;
const counts = await queue.getJobCounts('completed', 'failed', 'active', 'waiting', 'delayed', 'prioritized');
settleMs.sort((a, b) => a - b);
say({
  result: {
    version,
    node: process.version,
    enqueue,
    drain,
    failures,
    completed: counts.completed,
    left: counts.failed + counts.active + counts.waiting + counts.delayed + counts.prioritized,
    p50Ms: percentile(50),
    p99Ms: percentile(99),
    cpuMs: (cpu.user + cpu.system) / 1000,
    nodeBytes: process.resourceUsage().maxRSS * 1024,
    redisBytes: redisGrowth,
  },
});
await worker.close();
await queue.obliterate({ force: true });
await queue.close();
connection.disconnect();
workerConnection.disconnect();

function toBullMq({ priority, fails, attempts, backoffMs, args }) {
  const backoff = { type: 'fixed', delay: backoffMs };
  return { name: fails ? 'fails' : 'load', data: args, opts: { priority, attempts, backoff } };
}

async function run(job) {
  try {
    if (job.name === 'fails' && job.attemptsMade === 0) throw new Error('the first attempt fails');
    return { n: job.data.n };
  } finally {
    job.ended = performance.now();
  }
}

function percentile(percent) {
  return settleMs[Math.max(0, Math.ceil((settleMs.length * percent) / 100) - 1)] ?? 0;
}

// All commands that ran, including those inside scripts, as the hosted service would bill
// them.
async function commands() {
  let sum = 0;
  for (const line of (await connection.info('commandstats')).split('\r\n')) {
    const found = /^cmdstat_([^:]+):calls=(\d+)/.exec(line);
    if (found && !HOUSEKEEPING.test(found[1])) sum += Number(found[2]);
  }
  return sum;
}

async function redisBytes() {
  return Number(/used_memory:(\d+)/.exec(await connection.info('memory'))[1]);
}
