//! Compares every key at the endpoint with its row in the table.

use std::collections::BTreeSet;

use integration::TestApp;
use shared::queue::JobId;
use shared::redis::commands::keys::{Keys as _, pttl};
use shared::redis::{Command, Pipeline};

use super::table::{Expiry, Row, rows};

/// The rows, and which of them a key was found for.
pub struct Census {
    rows: Vec<Row>,
    seen: BTreeSet<String>,
    /// Keys that do not belong to the system.
    strangers: BTreeSet<String>,
}

impl Census {
    pub fn new(strangers: impl IntoIterator<Item = String>) -> Census {
        Census {
            rows: rows(),
            seen: BTreeSet::new(),
            strangers: strangers.into_iter().collect(),
        }
    }

    /// Checks every existing key.
    pub async fn take(&mut self, app: &TestApp) -> usize {
        let keys = keys(app).await;
        let mut pipeline = Pipeline::new();
        let slots: Vec<_> = keys
            .iter()
            .map(|key| {
                let kind = pipeline.add(Command::<String>::safe("TYPE").arg(key));
                (kind, pipeline.add(pttl(key)))
            })
            .collect();
        let mut replies = pipeline.send(&*app.redis).await.unwrap();
        let mut n_ours = 0;
        for (key, (kind, ttl)) in keys.iter().zip(slots) {
            let (kind, ttl) = (replies.take(kind).unwrap(), replies.take(ttl).unwrap());
            if self.strangers.contains(key) {
                continue;
            }
            let row = self.row_of(key, &app.key_prefix);
            assert_eq!(kind.to_uppercase(), row.kind, "{key}");
            let is_sound = match row.expiry {
                Expiry::None => ttl == -1,
                Expiry::Set => ttl > 0,
                Expiry::Within(time) => (1..=time.as_millis() as i64).contains(&ttl),
                Expiry::ByState => (ttl > 0) == is_finished(app, key).await,
            };
            assert!(is_sound, "{key} goes in {ttl} ms: {:?}", row.expiry);
            self.seen.insert(row.pattern.clone());
            n_ours += 1;
        }
        n_ours
    }

    /// The most specific row that matches a key.
    fn row_of(&self, key: &str, prefix: &str) -> Row {
        let fitting = self.rows.iter().filter(|row| {
            let rest = if row.is_prefixed {
                key.strip_prefix(prefix)
            } else {
                Some(key)
            };
            rest.is_some_and(|rest| row.has_form_of(rest))
        });
        let nearest = fitting.max_by_key(|row| row.n_literal());
        nearest
            .unwrap_or_else(|| panic!("no row for {key}"))
            .clone()
    }

    /// Fails and lists the rows for which no key was found.
    pub fn assert_complete(&self) {
        let rows = self.rows.iter().map(|row| &row.pattern);
        let unseen: Vec<&String> = rows.filter(|row| !self.seen.contains(*row)).collect();
        assert!(unseen.is_empty(), "never seen: {unseen:?}");
    }

    /// Fails unless the remaining keys are those that never expire.
    pub async fn assert_only_lasting(&self, app: &TestApp) {
        for key in keys(app).await {
            if !self.strangers.contains(&key) {
                let row = self.row_of(&key, &app.key_prefix);
                assert_eq!(row.expiry, Expiry::None, "{key}");
            }
        }
    }
}

pub async fn keys(app: &TestApp) -> Vec<String> {
    let (mut cursor, mut keys) = ("0".to_owned(), BTreeSet::new());
    loop {
        let (next, page) = app.redis.scan(&cursor, "*", 100).await.unwrap();
        keys.extend(page);
        if next == "0" {
            return keys.into_iter().collect();
        }
        cursor = next;
    }
}

/// Whether the job whose arguments a key holds has finished.
async fn is_finished(app: &TestApp, key: &str) -> bool {
    let id = JobId::parse(key.rsplit(':').next().unwrap()).unwrap();
    let job = app.queue().job(&id).await.unwrap().unwrap();
    job.state.is_finished()
}
