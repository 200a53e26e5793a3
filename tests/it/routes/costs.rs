//! The cost of each route in billed commands and round trips when it succeeds. It
//! includes the caller's rate limit, but neither `Idempotency-Key` nor cookies.

use std::collections::BTreeSet;

use integration::{Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, guild_with};

/// Calls of routes, one row each.
struct Calls {
    app: TestApp,
    rows: Vec<String>,
    /// Method and path, as listed by the functions.
    called: BTreeSet<(String, &'static str)>,
    cookie: Option<String>,
}

impl Calls {
    /// Calls a route and adds its row. `path` is the path as listed by the function;
    /// `in_place` replaces its `{…}` in order and may end with a query.
    async fn call(
        &mut self,
        method: Method,
        path: &'static str,
        (in_place, note): (&[&str], &str),
        body: Option<Value>,
    ) -> Reply {
        let mut parts = path.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        let mut values = in_place.iter();
        let mut actual = parts.fold(first, |text, part| {
            let rest = part.split_once('}').map_or("", |(_, rest)| rest);
            text + values.next().unwrap() + rest
        });
        actual.extend(values.copied());
        let request = self
            .app
            .http()
            .request(method.clone(), self.app.path(&actual));
        let request = match (&self.cookie, body) {
            (Some(cookie), None) => request.header("cookie", cookie),
            (_, None) => request.bearer_auth(TestApp::ADMIN_KEY),
            (_, Some(body)) => request.bearer_auth(TestApp::ADMIN_KEY).json(&body),
        };
        self.app.endpoint.reset_meter();
        let reply = self.app.send_plain(request).await;
        // No host is listed that could be redirected to, which costs the same.
        let is_fine = reply.status < 300 || path.ends_with("/play");
        assert!(is_fine, "{method} {actual}: {}", reply.json);
        let (billed, trips) = self.app.cost();
        let function = self.function_of(&method, path);
        self.rows.push(format!(
            "{function} {method} {path}{note}: {billed} billed, {trips} round trips"
        ));
        self.called.insert((method.to_string(), path));
        reply
    }

    fn function_of(&self, method: &Method, path: &str) -> &'static str {
        let mut apps = self.app.functions.apps.iter();
        let app = apps.find(|function| {
            let routes = function.app.routes().into_iter();
            routes
                .into_iter()
                .any(|(of, at)| of.as_str() == method.as_str() && at == path)
        });
        app.expect("a function has the route").name
    }

    async fn get(&mut self, path: &'static str, in_place: &[&str], note: &str) -> Reply {
        self.call(Method::GET, path, (in_place, note), None).await
    }

    /// A route that no pass calls is called with its event, which needs no preparation.
    async fn send_event(&mut self, method: &str, path: &str) {
        let found = crate::deploy::events::event_of(method, path);
        let (function, event) = found.expect("the route has an event, or is called above");
        let invocations = format!("/2015-03-31/functions/{function}/invocations");
        for is_first in [true, false] {
            self.app.endpoint.reset_meter();
            let reply = self.app.post(&invocations, &event).await;
            let status = reply.json["statusCode"].as_u64();
            assert!(status < Some(300), "{method} {path}: {}", reply.json);
            // The first call makes the endpoint cache the scripts.
            if !is_first {
                let (billed, trips) = self.app.cost();
                self.rows.push(format!(
                    "{function} {method} {path}: {billed} billed, {trips} round trips"
                ));
            }
        }
    }

    async fn post(
        &mut self,
        path: &'static str,
        in_place: &[&str],
        note: &str,
        body: Value,
    ) -> Reply {
        self.call(Method::POST, path, (in_place, note), Some(body))
            .await
    }
}

/// Calls each route at least once, on channels that no other pass uses.
async fn pass(app: TestApp, n: u64) -> Calls {
    let mut calls = Calls {
        app,
        rows: Vec::new(),
        called: BTreeSet::new(),
        cookie: None,
    };
    let (guild, channel) = (GUILD.to_string(), CHANNEL.to_string());
    let place = |channel: u64| json!({ "guildId": guild, "channelId": channel.to_string() });
    let typed = |kind: &str, channel: u64| {
        let mut job = place(channel);
        job["type"] = json!(kind);
        if kind == "message" {
            job["messageIds"] = json!([channel.to_string()]);
        }
        job
    };
    let new = |i: u64| CHANNEL + 1000 * n + i;

    let scan = "/api/jobs/scan";
    let taken = calls
        .post(scan, &[], ", the first of a channel", place(new(0)))
        .await;
    let job = taken.text("/jobId").to_owned();
    calls.post(scan, &[], ", a duplicate", place(new(0))).await;
    let jobs = "/api/jobs";
    let message = typed("message", new(1));
    calls.post(jobs, &[], ", of messages", message).await;
    let batches: Vec<Value> = (10..30).map(|i| typed("batch", new(i))).collect();
    calls
        .post(jobs, &[], ", twenty channels' first", json!(batches))
        .await;

    calls
        .get(jobs, &["?state=waiting"], ", those that wait")
        .await;
    calls.get(jobs, &[], ", of every state").await;
    let one = "/api/jobs/{jobId}";
    calls.get(one, &[&job], "").await;
    calls.get("/api/scans/stream/{scanId}", &[&job], "").await;
    calls.get("/api/scans/current", &[], "").await;
    let statuses = "/api/guilds/{guildId}/scan-statuses";
    calls.get(statuses, &[&guild], "").await;
    let status = "/api/guilds/{guildId}/channels/{channelId}/scan-status";
    calls.get(status, &[&guild, &channel], "").await;
    calls
        .call(Method::DELETE, one, (&[&job], ", one that waits"), None)
        .await;
    calls
        .post("/api/jobs/{jobId}/retry", &[&job], "", json!({}))
        .await;
    calls.app.delete(&format!("/api/jobs/{job}")).await;
    let purge = (&[job.as_str(), "?purge=true"][..], ", and purge");
    calls.call(Method::DELETE, one, purge, None).await;

    let clips = "/api/guilds/{guildId}/clips";
    calls.get(clips, &[&guild], "").await;
    let of_channel = format!("?channelId={channel}");
    calls
        .get(clips, &[&guild, &of_channel], ", of a channel")
        .await;

    for (query, note) in [
        (
            &*format!("?channelId={channel},{}", new(6)),
            ", of two channels",
        ),
        ("?authorId=1100000000000000001", ", of an author"),
        ("?text=clip", ", with a word"),
        (
            "?text=clip&minSeconds=5&spoiler=false",
            ", with a word and more",
        ),
        ("?minSeconds=5", ", of a length"),
        ("?sort=oldest", ", oldest first"),
        ("?sort=longest", ", longest first"),
        ("?provider=youtube", ", of a provider"),
        ("?isClip=true", ", recorded with Discord"),
    ] {
        calls.get(clips, &[&guild, query], note).await;
    }
    let newest = calls
        .app
        .get(&format!("/api/guilds/{guild}/clips?limit=1"))
        .await;
    let clip = newest.text("/clips/0/id").to_owned();
    let of_message = format!("?messageId={}", newest.text("/clips/0/messageId"));
    for (path, what) in [
        ("/api/clips/{channelId}/{clipId}", ""),
        ("/api/clips/{channelId}/{clipId}/play", ""),
    ] {
        let in_place = [channel.as_str(), &clip, &of_message];
        calls
            .get(path, &in_place, &format!(", in a message{what}"))
            .await;
        // The first one remembers the guild of the channel.
        let by_id = &calls.app.get(&format!("/api/clips/{channel}/{clip}")).await;
        assert_eq!(by_id.status, 200);
        calls.get(path, &in_place[..2], what).await;
    }
    let exports = "/api/guilds/{guildId}/exports";
    let wanted = json!({ "format": "csv", "channelId": [channel], "minSeconds": n });
    let export = calls.post(exports, &[&guild], "", wanted).await;
    let export = export.text("/exportId").to_owned();
    calls.app.drain().await;
    let one_export = "/api/guilds/{guildId}/exports/{exportId}";
    calls.get(one_export, &[&guild, &export], "").await;
    let part = "/api/guilds/{guildId}/exports/{exportId}/parts/{part}";
    calls.get(part, &[&guild, &export, "1"], "").await;
    calls
        .call(
            Method::DELETE,
            one_export,
            (&[&guild, &export], ", a complete one"),
            None,
        )
        .await;

    let guild_clips = calls.app.get(&format!("/api/guilds/{guild}/clips")).await;
    let found = &guild_clips.json["clips"][0];
    let of_message = format!("?messageId={}", found["messageId"].as_str().unwrap());
    let one = format!("{}{of_message}", found["id"].as_str().unwrap());
    let remove = "/api/guilds/{guildId}/clips/{clipId}";
    calls
        .call(Method::DELETE, remove, (&[&guild, &one], ""), None)
        .await;
    for (query, note) in [
        (of_message.as_str(), ", of a message, none left"),
        (
            "?authorId=1100000000000000009",
            ", of an author without any",
        ),
        (
            &format!("?channelId={}", new(7)),
            ", of a channel, none there",
        ),
    ] {
        calls
            .call(Method::DELETE, clips, (&[&guild, query], note), None)
            .await;
    }

    let cache = "/api/guilds/{guildId}/cache";
    calls
        .call(Method::DELETE, cache, (&[&guild], ""), None)
        .await;
    for (path, in_place) in [
        ("/api/guilds/{guildId}", &[guild.as_str()][..]),
        ("/api/guilds/{guildId}/channels", &[guild.as_str()]),
        (
            "/api/guilds/{guildId}/channels/{channelId}",
            &[guild.as_str(), channel.as_str()],
        ),
        ("/api/guilds/{guildId}/settings", &[guild.as_str()]),
    ] {
        calls.get(path, in_place, ", not cached").await;
        calls.get(path, in_place, ", cached").await;
    }
    let settings = (&[guild.as_str()][..], "");
    for (method, priority) in [(Method::PUT, 3), (Method::PATCH, 4)] {
        let path = "/api/guilds/{guildId}/settings";
        let wanted = Some(json!({ "priority": priority }));
        calls.call(method, path, settings, wanted).await;
    }

    let schedules = [
        ("/api/guilds/{guildId}/schedule", &[guild.as_str()][..]),
        (
            "/api/guilds/{guildId}/channels/{channelId}/schedule",
            &[guild.as_str(), channel.as_str()],
        ),
    ];
    for (path, in_place) in schedules {
        let body = Some(json!({ "everyMinutes": 60 }));
        calls.call(Method::PUT, path, (in_place, ""), body).await;
        calls.get(path, in_place, "").await;
        calls.call(Method::DELETE, path, (in_place, ""), None).await;
    }

    let notices = "/api/guilds/{guildId}/notices";
    let address = Some(json!({ "url": "https://example.com/hook" }));
    calls
        .call(Method::PUT, notices, (&[&guild], ""), address)
        .await;
    calls.get(notices, &[&guild], "").await;
    calls
        .call(Method::DELETE, notices, (&[&guild], ""), None)
        .await;

    let file = json!({ "guildId": guild, "sizeBytes": 2 });
    let begun = calls.post("/api/uploads", &[], "", file).await;
    let upload = begun.text("/uploadId").to_owned();
    let part = Some(json!({ "data": "e30=" }));
    let path = "/api/uploads/{uploadId}/parts/{number}";
    calls
        .call(Method::PUT, path, (&[&upload, "1"], ""), part)
        .await;
    calls.get("/api/uploads/{uploadId}", &[&upload], "").await;
    calls
        .post("/api/uploads/{uploadId}/finish", &[&upload], "", json!({}))
        .await;

    calls.get("/api/health/redis", &[], "").await;
    let key = json!({ "key": TestApp::API_KEY });
    let session = calls.post("/api/sessions", &[], "", key).await;
    let cookie = session.header("set-cookie").unwrap();
    calls.cookie = cookie.split(';').next().map(str::to_owned);
    calls
        .call(Method::DELETE, "/api/sessions", (&[], ""), None)
        .await;
    calls.cookie = None;

    calls.get("/api/admin/redis/metrics", &[], "").await;
    calls.get("/api/admin/redis/stats", &[], "").await;
    let counters = "/api/admin/counters";
    calls
        .get(
            counters,
            &["?name=clips&period=day&limit=30"],
            ", thirty days",
        )
        .await;
    calls.get("/api/admin/flags", &[], "").await;
    let flag = "/api/admin/flags/{name}";
    calls.get(flag, &["scans-off"], "").await;
    let rule = Some(json!({ "percent": 0 }));
    calls
        .call(Method::PUT, flag, (&["scans-off"], ""), rule)
        .await;
    let discord = "/api/admin/discord/pause";
    calls
        .call(Method::DELETE, discord, (&[], ", there is none"), None)
        .await;
    calls.get("/api/admin/queues", &[], "").await;
    for path in [
        "/api/admin/queues/{name}/pause",
        "/api/admin/queues/{name}/resume",
    ] {
        calls.post(path, &["scan"], "", json!({})).await;
    }
    calls.app.post(scan, &place(new(5))).await;
    calls.app.drain().await;
    let redrive = "/api/admin/queues/{name}/redrive";
    calls
        .post(redrive, &["scan"], ", some failed jobs", json!({}))
        .await;
    let guild_scan = "/api/guilds/{guildId}/scan";
    let others = json!({ "channels": { "exclude": [new(0).to_string()] } });
    let taken = calls.post(guild_scan, &[&guild], "", others).await;
    let shown = "/api/guilds/{guildId}/scans/{scanId}";
    let id = taken.text("/scanId").to_owned();
    calls.get(shown, &[&guild, &id], ", not planned yet").await;
    calls
}

#[tokio::test]
async fn every_route_costs_what_the_golden_file_says() {
    let app = TestApp::with_guild(guild_with(60, 2)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    // The first pass makes the endpoint cache every script.
    let app = pass(app, 1).await.app;
    let mut calls = pass(app, 2).await;
    let apps = calls.app.functions.apps.iter();
    let routes: BTreeSet<(String, &'static str)> = apps
        .flat_map(|function| function.app.routes())
        // HEAD costs the same as GET.
        .filter(|(method, _)| method != "HEAD")
        .map(|(method, path)| (method.to_string(), path))
        .collect();
    for (method, path) in routes {
        if !calls.called.contains(&(method.clone(), path)) {
            calls.send_event(&method, path).await;
        }
    }
    crate::golden("route-costs", &calls.rows);
    calls.app.leaves_unfinished(48);
}
