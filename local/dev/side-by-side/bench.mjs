// Measures the cost and the behaviour of @upstash/ratelimit and @upstash/lock on an
// endpoint.
//
//   node bench.mjs URL TOKEN CONTROL
//
// Each output line is JSON: {cost, billed, ms} or {behaviour, saw}.

import { Lock } from '@upstash/lock';
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis';

const [url, token, control] = process.argv.slice(2);
const CALLS = 200;
const redis = new Redis({ url, token, enableTelemetry: false });
const say = (words) => console.log(JSON.stringify(words));

const ask = async (method, path, body) => {
  const reply = await fetch(`${control}${path}`, { method, body: body && JSON.stringify(body) });
  return reply.json();
};
const fault = (action, more) => ask('POST', '/faults', { action, ...more });
const billed = async (work) => {
  await ask('POST', '/meter/reset');
  await work();
  return (await ask('GET', '/meter')).total;
};
const median = async (work) => {
  const times = [];
  for (let n = 0; n < CALLS; n += 1) {
    const started = performance.now();
    await work(n);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[CALLS / 2];
};
const cost = async (name, work, again) =>
  say({ cost: name, billed: await billed(work), ms: again ? await median(again) : null });

const limiter = (prefix, algorithm, more) =>
  new Ratelimit({ redis, prefix, limiter: algorithm, ephemeralCache: false, ...more });

for (const [name, make] of [
  ['fixed window', (n) => Ratelimit.fixedWindow(n, '60 s')],
  ['sliding window', (n) => Ratelimit.slidingWindow(n, '60 s')],
  ['token bucket', (n) => Ratelimit.tokenBucket(n, '60 s', n)],
]) {
  const three = limiter(`${name}:3`, make(3));
  const many = limiter(`${name}:many`, make(1_000_000));
  await many.limit('known');
  await cost(`${name}, the first call`, () => three.limit('a'));
  await cost(`${name}, another`, () => three.limit('a'), () => many.limit('b'));
  await three.limit('a');
  await cost(`${name}, refused`, () => three.limit('a'), () => three.limit('a'));
}

const lock = new Lock({ id: 'lock', redis, lease: 60_000, retry: { attempts: 1, delay: 0 } });
const other = new Lock({ id: 'lock', redis, lease: 60_000, retry: { attempts: 1, delay: 0 } });
await cost('lock, acquire', () => lock.acquire());
await cost('lock, find it held', () => other.acquire(), () => other.acquire());
await cost('lock, extend', () => lock.extend(1000), () => lock.extend(1000));
await cost('lock, release', () => lock.release());
say({
  cost: 'lock, acquire and release',
  billed: await billed(async () => { await lock.acquire(); await lock.release(); }),
  ms: await median(async () => { await lock.acquire(); await lock.release(); }),
});

const behaviour = async (name, look) => {
  let saw;
  try {
    saw = await look();
  } catch (error) {
    saw = `throws: ${error.message.replace(/,? command was.*/, '').trim().slice(0, 60).trim()}`;
  }
  await ask('DELETE', '/faults');
  say({ behaviour: name, saw: String(saw) });
};
const admitted = (reply) => (reply.success ? 'admitted' : 'refused');

await behaviour('a cached counter expires', async () => {
  const cached = limiter('cached', Ratelimit.cachedFixedWindow(10, '60 s'), { ephemeralCache: new Map() });
  await (await cached.limit('a')).pending;
  const [, keys] = await redis.scan(0, { match: 'cached:*', count: 100 });
  return (await redis.pttl(keys[0])) > 0 ? 'yes' : 'never';
});
for (const [name, make] of [
  ['fixed window', Ratelimit.fixedWindow(4, '60 s')],
  ['sliding window', Ratelimit.slidingWindow(4, '60 s')],
]) {
  await behaviour(`${name}: a refused call of weight 3 leaves room for 1`, async () => {
    const weighed = limiter(`weighed:${name}`, make);
    await weighed.limit('a', { rate: 3 });
    await weighed.limit('a', { rate: 3 });
    return (await weighed.limit('a', { rate: 1 })).success ? 'yes' : 'no';
  });
}
await behaviour('a sign-in while the check times out', async () => {
  const login = limiter('login', Ratelimit.slidingWindow(5, '60 s'), { timeout: 50 });
  await fault({ delay: 400 });
  return admitted(await login.limit('a'));
});
const realNow = Date.now;
const WINDOW = 60_000;
const start = Math.floor(realNow() / WINDOW) * WINDOW;
await behaviour('limit used, a clock one window behind', async () => {
  const skewed = limiter('skewed', Ratelimit.slidingWindow(1, '60 s'));
  await skewed.limit('a');
  Date.now = () => realNow() - WINDOW;
  const reply = await skewed.limit('a');
  Date.now = realNow;
  return admitted(reply);
});
await behaviour('limit 10: most in less than one window', async () => {
  const sliding = limiter('edge', Ratelimit.slidingWindow(10, '60 s'));
  let sum = 0;
  for (const at of [start + WINDOW - 1, start + 2 * WINDOW - 2]) {
    Date.now = () => at;
    for (let n = 0; n < 20; n += 1) sum += (await sliding.limit('a')).success ? 1 : 0;
  }
  Date.now = realNow;
  return sum;
});
await behaviour('lock: extend by 500 ms', async () => {
  const short = new Lock({ id: 'short', redis, lease: 10_000 });
  await short.acquire();
  return (await short.extend(500)) ? 'extended' : 'refused';
});
await behaviour('lock: acquire, its reply lost', async () => {
  const lost = new Lock({ id: 'lost', redis, lease: 10_000, retry: { attempts: 1, delay: 0 } });
  await fault('dropAfterCommit');
  const got = await lost.acquire();
  return got ? 'acquired' : `not acquired, key ${(await redis.exists('lost')) ? 'held' : 'free'}`;
});
await behaviour('lock: waits after its last try', async () => {
  const held = new Lock({ id: 'held', redis, lease: 10_000 });
  await held.acquire();
  const late = new Lock({ id: 'held', redis, retry: { attempts: 1, delay: 300 } });
  const started = performance.now();
  await late.acquire();
  return performance.now() - started > 250 ? '300 ms' : 'no';
});
await behaviour('lock: a fence to check writes with', () => 'no');
