// `GET /api/health/redis` as functions/health answers it: one PING. The loop at the end
// does what Lambda's Node runtime does with a handler. The runtime's own package needs a
// compiler.

import { Redis } from '@upstash/redis';

const redis = Redis.fromEnv();

const reply = (statusCode, body) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

async function handler(event) {
  if (event.requestContext.http.method !== 'GET' || event.rawPath !== '/api/health/redis') {
    return reply(404, { title: 'no such route' });
  }
  const started = performance.now();
  try {
    await redis.ping();
    return reply(200, { status: 'healthy', latencyMs: Math.round(performance.now() - started) });
  } catch (error) {
    return reply(503, { status: 'unhealthy', error: error.message });
  }
}

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
for (;;) {
  const next = await fetch(`${api}/next`);
  const id = next.headers.get('lambda-runtime-aws-request-id');
  const body = JSON.stringify(await handler(await next.json()));
  const taken = await fetch(`${api}/${id}/response`, { method: 'POST', body });
  // Read to the end, so that the connection is reused.
  await taken.arrayBuffer();
}
