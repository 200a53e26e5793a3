//! The integration tests, by topic.

#![allow(clippy::unwrap_used)]

/// Compares fields of a value by name, which is easier to read than a tuple of numbers.
macro_rules! assert_fields {
    ($value:expr, { $($field:ident: $expected:expr),+ $(,)? }) => {{
        let value = &$value;
        $(assert_eq!(value.$field, $expected, "{} of {value:?}", stringify!($field));)+
    }};
}

mod admin;
mod aws;
mod bench;
mod cache;
mod clips;
mod counters;
mod deploy;
mod dev;
mod discord;
mod doctor;
mod faults;
mod guild_scan;
mod guilds;
mod idempotency;
mod keys;
mod kill;
mod lambda;
mod layers;
mod limits;
mod load_test;
mod locks;
mod lua;
mod media;
mod metrics;
mod notices;
mod queue;
mod redis;
mod routes;
mod scan;
mod schedules;
mod secrets;
mod sessions;
mod statuses;
mod uploads;
mod upstash;

/// Compares the fields that `expected` names. The value may have others.
#[track_caller]
fn assert_has(value: &serde_json::Value, expected: &serde_json::Value) {
    for (name, expected) in expected.as_object().unwrap() {
        assert_eq!(value[name], *expected, "{name} of {value}");
    }
}

/// Rows of a golden file, each with the commands billed since the previous row.
struct Costs<'a> {
    server: &'a ::upstash_local::Server,
    rows: Vec<String>,
}

impl Costs<'_> {
    /// Starts counting now.
    fn of(server: &::upstash_local::Server) -> Costs<'_> {
        server.reset_meter();
        Costs {
            server,
            rows: Vec::new(),
        }
    }

    fn row(&mut self, name: &str) {
        let meter = self.server.meter();
        let trips: u64 = meter.requests.values().sum();
        let row = format!("{name}: {} billed, {trips} round trips", meter.total);
        self.rows.push(row);
        self.server.reset_meter();
    }
}

/// Compares `lines` with `tests/golden/{name}.txt`. `UPDATE_GOLDEN=1` writes the file
/// instead. Check the diff then: a higher number means a higher bill.
fn golden(name: &str, lines: &[String]) {
    let path = format!("{}/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let now = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        before == now,
        "{name} changed; it was\n{before}\nand is\n{now}"
    );
}
