//! The whole life of the system, with a census after each phase.

use std::sync::Arc;
use std::time::Duration;

use discord_local::{Action, Fault};
use integration::{Options, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use shared::config::{DrainConfig, Environment};
use shared::lock::Locks;
use shared::outbound::Hosts;
use shared::queue::{Consumer, JobId, NewJob, Outcome};
use shared::rate_limiter::RateLimiter;
use shared::redis::commands::streams::Trim;
use shared::redis::commands::{Keys as _, Streams as _};

use super::census::Census;
use crate::limits::{ALGORITHMS, rule};
use crate::queue::{scripted, until_running};
use crate::scan::{CHANNEL, GUILD, guild_with};

pub struct Life {
    pub app: TestApp,
    pub census: Census,
}

impl Life {
    /// A system with a recurring scan. `strangers` are keys of other programs.
    pub async fn begin(options: Options, strangers: impl IntoIterator<Item = String>) -> Life {
        let recurring = json!([{
            "name": "half-hourly", "cron": "*/30 * * * *",
            "job": { "type": "scan", "guildId": GUILD.to_string(), "channelId": (CHANNEL + 9).to_string() },
        }])
        .to_string();
        let environment =
            Environment::from(|name| (name == "RECURRING_JOBS").then(|| recurring.clone()));
        let mut guild = guild_with(250, 5);
        let forward = guild.forward(CHANNEL, guild.message_ids(CHANNEL)[0]);
        guild.add_message(CHANNEL, forward.unwrap());
        let app = TestApp::start(Options {
            guild,
            drain: DrainConfig {
                webhook_hosts: Hosts::listed("127.0.0.1").unwrap(),
                ..DrainConfig::read(&environment).unwrap()
            },
            ..options
        })
        .await;
        Life {
            app,
            census: Census::new(strangers),
        }
    }

    pub async fn live(&mut self) {
        self.look_at_discord().await;
        self.sign_in_and_out().await;
        self.scan().await;
        self.scan_the_guild().await;
        self.schedule().await;
        self.tell_and_import().await;
        self.take_what_others_left().await;
        self.fail_and_redrive().await;
        self.leave_discord_alone().await;
        self.run_jobs_with_options().await;
        self.hold_a_group().await;
        self.limit_and_lock().await;
        self.export().await;
        self.play().await;
        self.watch().await;
    }

    async fn look(&mut self) {
        assert!(self.census.take(&self.app).await > 0);
    }

    async fn as_admin(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.app.http().request(method, self.app.path(path));
        let request = request.bearer_auth(TestApp::ADMIN_KEY).json(body);
        let reply = self.app.send_plain(request).await;
        assert!(reply.status < 300, "{path}: {}", reply.json);
        reply
    }

    async fn look_at_discord(&mut self) {
        let guild = format!("/api/guilds/{GUILD}");
        let app = &self.app;
        let settings = json!({ "minVideoSeconds": 1, "priority": 4 });
        app.put(&format!("{guild}/settings"), &settings).await;
        for path in [
            "",
            "/settings",
            "/channels",
            &format!("/channels/{CHANNEL}"),
        ] {
            assert_eq!(app.get(&format!("{guild}{path}")).await.status, 200);
        }
        assert_eq!(app.get("/api/guilds").await.status, 200);
        // This guild does not exist.
        app.get("/api/guilds/1999999999999999999").await;
        self.look().await;
        let forget = format!("{guild}/cache");
        self.as_admin(Method::DELETE, &forget, &json!({})).await;
        self.look().await;
        self.app.get(&format!("{guild}/channels/{CHANNEL}")).await;
        self.look().await;
    }

    /// A notice that cannot be sent, and a file.
    async fn tell_and_import(&mut self) {
        let notices = format!("/api/guilds/{GUILD}/notices");
        let webhook = json!({ "url": "http://127.0.0.1:9/hook" });
        assert_eq!(self.app.put(&notices, &webhook).await.status, 200);
        self.look().await;
        let body = json!({ "guildId": GUILD.to_string(), "sizeBytes": 2 });
        let upload = self.app.post("/api/uploads", &body).await;
        let path = format!("/api/uploads/{}", upload.text("/uploadId"));
        let part = json!({ "data": "e30=" });
        self.app.put(&format!("{path}/parts/1"), &part).await;
        self.look().await;
        let finished = self.app.post(&format!("{path}/finish"), &json!({})).await;
        assert_eq!(finished.status, 202);
        self.look().await;
        // The file is no export, and nobody listens at the webhook's address.
        self.app.drain().await;
        self.look().await;
        assert_eq!(self.app.delete(&notices).await.status, 204);
        self.app.advance(Duration::from_secs(120));
        self.app.drain().await;
        self.look().await;
    }

    async fn schedule(&mut self) {
        let guild = format!("/api/guilds/{GUILD}");
        let paths = ["schedule", &format!("channels/{CHANNEL}/schedule")];
        for minutes in [1, 525_600] {
            for path in paths {
                let path = format!("{guild}/{path}");
                let body = json!({ "everyMinutes": minutes });
                assert_eq!(self.app.put(&path, &body).await.status, 200);
                assert_eq!(self.app.get(&path).await.status, 200);
            }
            self.look().await;
            self.app.advance(Duration::from_secs(60));
            self.app.drain().await;
            self.look().await;
        }
    }

    async fn sign_in_and_out(&mut self) {
        let app = &self.app;
        let key = json!({ "key": TestApp::API_KEY });
        let mut cookies = Vec::new();
        for _ in 0..2 {
            let request = app.http().post(app.path("/api/sessions")).json(&key);
            let reply = app.send_plain(request).await;
            assert_eq!(reply.status, 201);
            let cookie = reply.header("set-cookie").unwrap();
            cookies.push(cookie.split(';').next().unwrap().to_owned());
        }
        let with = async |method, path, cookie: &str| {
            let request = app.http().request(method, app.path(path));
            app.send_plain(request.header("cookie", cookie)).await
        };
        let read = with(Method::GET, "/api/jobs", &cookies[0]).await;
        let out = with(Method::DELETE, "/api/sessions", &cookies[1]).await;
        assert_eq!((read.status, out.status), (200, 204));
        self.look().await;
    }

    async fn scan(&mut self) {
        let app = &self.app;
        let place = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
        let request = app.http().post(app.path("/api/jobs/scan")).json(&place);
        let reply = app.send(request.header("idempotency-key", "k")).await;
        assert_eq!(reply.status, 202);
        let ids = app.discord.guild().message_ids(CHANNEL);
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let message = |ids: &[String]| json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": ids });
        let jobs = json!([message(&ids[..100]), message(&ids[5..6])]);
        assert_eq!(app.post("/api/jobs", &jobs).await.status, 202);
        self.look().await;
        assert_eq!(self.app.drain().await["completed"], 3);
        self.look().await;
        let stream = self.app.stream(reply.text("/scanId")).await;
        assert_eq!(stream["currentState"]["status"], "SUCCEEDED");
    }

    async fn scan_the_guild(&mut self) {
        let path = format!("/api/guilds/{GUILD}/scan");
        let app = &self.app;
        assert_eq!(app.post(&path, &json!({})).await.status, 202);
        app.drain().await;
        app.advance(Duration::from_secs(61));
        app.drain().await;
        self.look().await;
    }

    async fn take_what_others_left(&mut self) {
        let batch = json!({ "guild_id": GUILD.to_string(), "channel_id": CHANNEL.to_string() });
        for data in [batch.to_string(), "{nonsense".to_owned()] {
            let fields = [("type", "batch"), ("data", data.as_str())];
            let left = self.app.redis.xadd("scan:jobs", "*", Trim::No, &fields);
            left.await.unwrap();
        }
        self.look().await;
        self.app.drain().await;
        // Recurring jobs are registered first and get their slot afterwards.
        self.app.advance(Duration::from_secs(1800));
        assert_eq!(self.app.drain().await["failed"], 1);
        self.look().await;
    }

    async fn fail_and_redrive(&mut self) {
        let app = &self.app;
        let failed = app.scan(CHANNEL + 50, json!({})).await;
        app.drain().await;
        let retry = format!("/api/jobs/{failed}/retry");
        assert_eq!(app.post(&retry, &json!({})).await.status, 202);
        app.drain().await;
        let redrive = "/api/admin/queues/scan/redrive";
        self.as_admin(Method::POST, redrive, &json!({})).await;
        self.look().await;
        self.app.drain().await;
        let cancelled = self.app.scan(CHANNEL + 51, json!({})).await;
        for query in ["", "?purge=true"] {
            let path = format!("/api/jobs/{cancelled}{query}");
            assert_eq!(self.app.delete(&path).await.status, 202);
            self.look().await;
        }
        let pause = "/api/admin/queues/scan/pause";
        self.as_admin(Method::POST, pause, &json!({})).await;
        self.look().await;
        let resume = "/api/admin/queues/scan/resume";
        self.as_admin(Method::POST, resume, &json!({})).await;
    }

    async fn leave_discord_alone(&mut self) {
        let banned = Fault::once(Action::CloudflareBan).on("before=");
        self.app.discord.faults().add(banned);
        let backfill = json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "beforeMessageId": "1999999999999999999", "limit": 200 });
        self.app.post("/api/jobs", &backfill).await;
        assert_eq!(self.app.drain().await["snoozed"], 1);
        self.look().await;
        self.app.advance(Duration::from_secs(86_400));
        self.app.drain().await;
        self.look().await;
    }

    fn job(&self, kind: &str) -> NewJob {
        NewJob::new(JobId::new(&self.app.clock), kind, &json!({ "n": 1 })).unwrap()
    }

    /// Large arguments and results, a unique key, a chain and a batch.
    async fn run_jobs_with_options(&mut self) {
        let queue = self.app.queue().clone();
        let large = NewJob {
            args: json!("x".repeat(5000)).to_string(),
            unique: Some("only".to_owned()),
            then: vec![self.job("work")],
            ..self.job("large")
        };
        let large_id = large.id.clone();
        queue.enqueue(large).await.unwrap();
        let parts = vec![self.job("work"), self.job("never")];
        queue.enqueue_batch(parts, self.job("work")).await.unwrap();
        self.look().await;
        let handler = scripted().on("large", |_| async {
            Outcome::Done("y".repeat(5000).into())
        });
        let consumer = Consumer::new(queue, Arc::new(handler));
        let deadline = self.app.clock.deadline(Duration::from_secs(900));
        consumer.drain(&deadline).await.unwrap();
        self.look().await;
        let job = self.app.queue().job(&large_id).await.unwrap().unwrap();
        assert_eq!(job.returnvalue, Some("y".repeat(5000).into()));
    }

    /// A job that waits for a place in its group.
    async fn hold_a_group(&mut self) {
        let queue = self.app.queue().clone();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let held = NewJob {
                group: Some("g".to_owned()),
                ..self.job("held")
            };
            ids.push(held.id.clone());
            queue.enqueue(held).await.unwrap();
        }
        let handler = scripted();
        let deadline = self.app.clock.deadline(Duration::from_secs(900));
        let drain = tokio::spawn({
            let consumer = Consumer::new(queue.clone(), Arc::new(handler.clone()));
            let deadline = deadline.clone();
            async move { consumer.drain(&deadline).await }
        });
        until_running(&handler, 1).await;
        while self
            .app
            .redis
            .exists(&[&queue.keys().parked])
            .await
            .unwrap()
            == 0
        {
            tokio::task::yield_now().await;
        }
        self.look().await;
        deadline.cut_to(Duration::ZERO);
        drain.await.unwrap().unwrap();
        for id in &ids {
            let path = format!("/api/jobs/{id}");
            assert_eq!(self.app.delete(&path).await.status, 202);
        }
        self.look().await;
    }

    async fn limit_and_lock(&mut self) {
        let (redis, prefix) = (self.app.redis.clone(), self.app.key_prefix.clone());
        let clock = self.app.clock.clone();
        let limiter = RateLimiter::new(&prefix, clock.clone());
        for (n, algorithm) in ALGORITHMS.into_iter().enumerate() {
            let caller = format!("api:192.0.2.{n}");
            let check = limiter.call(&rule(algorithm, 3, 60), &caller, 1);
            assert!(limiter.check(&redis, &check).await.admitted);
        }
        limiter.set_limit(&redis, "test", Some(5)).await.unwrap();
        let minute = Duration::from_secs(60);
        limiter.deny(&redis, "192.0.2.9", minute).await.unwrap();
        let locks = Locks::new(redis, &prefix, clock);
        let held = locks.try_acquire("census", shared::lock::LEASE).await;
        self.look().await;
        assert!(held.unwrap().unwrap().release().await.unwrap());
        self.look().await;
    }

    async fn play(&mut self) {
        let list = format!("/api/guilds/{GUILD}/clips?limit=1");
        let clip = self.app.get(&list).await.text("/clips/0/id").to_owned();
        // Long enough for the clip's link to expire.
        self.app.advance(Duration::from_secs(26 * 3600));
        let path = format!("/api/clips/{CHANNEL}/{clip}");
        assert_eq!(self.app.get(&path).await.status, 200);
        self.look().await;
    }

    async fn export(&mut self) {
        let path = format!("/api/guilds/{GUILD}/exports");
        let reply = self.app.post(&path, &json!({ "format": "csv" })).await;
        assert_eq!(reply.status, 202);
        self.app.drain().await;
        self.look().await;
    }

    /// What people look at and change.
    async fn watch(&mut self) {
        let off = json!({ "allow": ["1999999999999999999"] });
        self.as_admin(Method::PUT, "/api/admin/flags/scans-off", &off)
            .await;
        for path in [
            "/api/admin/redis/metrics",
            "/api/admin/redis/stats",
            "/api/admin/queues",
            "/api/admin/flags",
            "/api/admin/counters?name=clips",
        ] {
            self.as_admin(Method::GET, path, &json!({})).await;
        }
        for path in [
            format!("/api/guilds/{GUILD}/scan-statuses"),
            format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status"),
            format!("/api/guilds/{GUILD}/clips"),
            "/api/scans/current".to_owned(),
            "/api/health/redis".to_owned(),
        ] {
            assert_eq!(self.app.get(&path).await.status, 200, "{path}");
        }
        self.look().await;
    }
}
