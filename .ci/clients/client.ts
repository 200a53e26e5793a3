// A small client in TypeScript, typed by what openapi-typescript makes of the document:
//
//     node client.ts URL KEY GUILD CHANNEL
//
// It scans a channel, follows the scan and lists the clips. That it compiles shows that jobs
// and events are told apart by `type`; that it runs, that the replies are what the types say.

import createClient from "openapi-fetch";
import type { components, paths } from "./trawl.ts";

type Job = components["schemas"]["Job"];
type ScanEvent = components["schemas"]["ScanEvent"];

const [url, key, guildId, channelId] = process.argv.slice(2);
if (!url || !key || !guildId || !channelId) throw new Error("expected URL KEY GUILD CHANNEL");
const trawl = createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${key}` } });

function expect<T>(reply: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (reply.data === undefined) throw new Error(reply.error?.detail ?? "an empty reply");
  return reply.data;
}

function count(event: ScanEvent): number {
  switch (event.type) {
    case "clip":
      return event.data.clips.filter((clip) => clip.source === "attachment").length;
    case "removed":
      return -event.data.clips.length;
    case "progress":
    case "status":
    case "log":
      return 0;
    default:
      return event satisfies never;
  }
}

function describe(job: Job): string {
  switch (job.type) {
    case "scan":
      return `${job.data.scanMode} scan, ${job.returnvalue?.clipsFound} clips, reached start: ${job.returnvalue?.reachedStart}`;
    case "batch":
      return `batch of ${job.data.limit} messages`;
    case "message":
      return `${job.data.messageIds.length} messages`;
    case "rescan":
      return `rescan of ${job.data.channelId}`;
    case "guild":
    case "export":
    case "import":
    case "notice":
      return `${job.type} of ${job.data.guildId}`;
    case "cancel":
      return `end of ${job.data.cancelledScanId}`;
    case "foreign":
      return `no job: ${job.failedReason}`;
    default:
      return job satisfies never;
  }
}

const { scanId } = expect(
  await trawl.POST("/api/jobs/scan", {
    body: { guildId, channelId, options: { maxMessages: 300 } },
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  }),
);
let attachments = 0;
for (let lastId = "0", isOver = false; !isOver; ) {
  const params = { path: { scanId }, query: { lastId } };
  const seen = expect(await trawl.GET("/api/scans/stream/{scanId}", { params }));
  attachments += seen.events.map(count).reduce((sum, n) => sum + n, 0);
  const { status } = seen.currentState;
  if (status === "FAILED" || status === "CANCELLED") throw new Error(`the scan is ${status}`);
  isOver = status === "SUCCEEDED" && seen.events.length === 0;
  lastId = seen.lastId;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const job = expect(await trawl.GET("/api/jobs/{jobId}", { params: { path: { jobId: scanId } } }));
const page = expect(
  await trawl.GET("/api/guilds/{guildId}/clips", { params: { path: { guildId }, query: { limit: 5 } } }),
);
if (attachments === 0 || page.clips.length === 0) throw new Error("the scan found no clips");
console.log(`TypeScript: ${describe(job)}, ${attachments} of them attachments`);
