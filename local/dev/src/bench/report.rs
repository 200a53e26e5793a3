//! Prints the results of a benchmark.

use std::time::Duration;

use serde_json::{Value, json};

use super::goals::{Goal, node_of};
use super::run::Measured;
use super::share::Share;
use super::site::Link;
use crate::measure::Percentiles;
use crate::measure::table::{Table, megabytes};

/// One table per link, with and without a limited share of a processor.
pub fn tables(measured: &[Measured]) -> String {
    let mut text = String::new();
    for is_limited in [false, true] {
        for link in Link::ALL {
            let rows: Vec<&Measured> = measured
                .iter()
                .filter(|m| m.is_limited == is_limited && m.link == link)
                .collect();
            if rows.is_empty() {
                continue;
            }
            let limited = match is_limited {
                true => format!(", {}", Share::told()),
                false => String::new(),
            };
            let table = table(&rows, measured);
            text.push_str(&format!("{}{limited}\n\n{table}\n", link.told()));
        }
    }
    text
}

fn table(rows: &[&Measured], all: &[Measured]) -> Table {
    let mut table = Table::new([
        "milliseconds",
        "size",
        "init",
        "first",
        "start",
        "p90",
        "Node's",
        "peak",
        "Node's",
        "warm",
        "Redis",
        "requests",
        "beyond",
        "peak, warm",
    ]);
    for row in rows {
        let node = node_of(all, row);
        let share = |number: fn(&Measured) -> Option<f64>| {
            let share = node.and_then(|node| Some(number(node)? / number(row)?));
            share.map_or("-".to_owned(), |share| format!("1/{share:.1}"))
        };
        table.row(
            &row.program.name,
            [
                row.program
                    .size_bytes
                    .map_or("-".to_owned(), |bytes| megabytes(Some(bytes))),
                ms(row.init.p50),
                ms(row.first.p50),
                ms(row.total.p50),
                ms(row.total.p90),
                share(|m| Some(m.total.p50.as_secs_f64())),
                megabytes(row.peak_bytes),
                share(|m| m.peak_bytes.map(|bytes| bytes as f64)),
                ms(row.warm.p50),
                ms(row.bare.p50),
                row.requests.to_string(),
                ms(row.overhead()),
                megabytes(row.warm_peak_bytes),
            ],
        );
    }
    table
}

/// One line per goal, followed by the results that miss it.
pub fn goals(goals: &[Goal]) -> String {
    let mut text = String::new();
    for goal in goals {
        let word = if goal.is_kept { "kept" } else { "MISSED" };
        text.push_str(&format!(
            "{word:<7} {}; nearest: {}\n",
            goal.goal, goal.nearest
        ));
        for broken in &goal.broken_by {
            text.push_str(&format!("        {broken}\n"));
        }
    }
    text
}

/// All results as JSON: times in milliseconds, sizes in bytes.
pub fn document(measured: &[Measured], goals: &[Goal]) -> Value {
    let times = |times: &Percentiles| json!({ "p50": number(times.p50), "p90": number(times.p90) });
    let rows: Vec<Value> = measured
        .iter()
        .map(|m| {
            json!({
                "name": m.program.name,
                "link": m.link,
                "limited": m.is_limited,
                "sizeBytes": m.program.size_bytes,
                "initMs": times(&m.init),
                "firstMs": times(&m.first),
                "startMs": times(&m.total),
                "peakBytes": m.peak_bytes,
                "warmMs": times(&m.warm),
                "redisMs": times(&m.bare),
                "requests": m.requests,
                "beyondMs": number(m.overhead()),
                "warmPeakBytes": m.warm_peak_bytes,
            })
        })
        .collect();
    json!({ "measured": rows, "goals": goals })
}

fn ms(time: Duration) -> String {
    match time.as_secs_f64() * 1000.0 {
        large @ 100.0.. => format!("{large:.0}"),
        middle @ 10.0.. => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

fn number(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Made-up measurements for tests.
#[cfg(test)]
pub mod samples {
    use std::path::PathBuf;

    use super::super::cases::Case;
    use super::super::program::{Program, Side};
    use super::*;

    /// A 5 MB function with the given cold start and peak memory.
    pub fn function(name: &str, start_ms: u64, peak_mb: u64) -> Measured {
        let case = Case::of(name).unwrap();
        let own = measured(name, Side::Function(case), start_ms, peak_mb);
        let program = Program {
            size_bytes: Some(5_000_000),
            ..own.program.clone()
        };
        Measured { program, ..own }
    }

    pub fn node(start_ms: u64, peak_mb: u64) -> Measured {
        measured("Node 20.0.0", Side::Node, start_ms, peak_mb)
    }

    fn measured(name: &str, side: Side, start_ms: u64, peak_mb: u64) -> Measured {
        let times = |us| Percentiles::of(vec![Duration::from_micros(us)]);
        Measured {
            program: Program {
                name: name.to_owned(),
                side,
                path: PathBuf::new(),
                arguments: Vec::new(),
                environment: Vec::new(),
                event: "{}",
                size_bytes: None,
                takes_parameters: false,
            },
            link: Link::Plain,
            is_limited: false,
            init: times(start_ms * 600),
            first: times(start_ms * 400),
            total: times(start_ms * 1000),
            peak_bytes: Some(peak_mb * 1_000_000),
            warm: times(400),
            bare: times(150),
            requests: 1,
            warm_peak_bytes: Some(peak_mb * 1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{function, node};
    use super::*;

    #[test]
    fn a_row_has_what_node_took_beside_its_own() {
        let mut limited = function("health", 40, 6);
        limited.is_limited = true;
        let text = tables(&[function("health", 8, 6), node(120, 66), limited]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "without TLS");
        let cells: Vec<&str> = lines[4].split_whitespace().collect();
        assert_eq!(
            cells.join(" "),
            "health 5.0 MB 4.80 3.20 8.00 8.00 1/15.0 6.0 MB 1/11.0 0.40 0.15 1 0.25 6.0 MB"
        );
        assert_eq!(
            lines[7],
            "without TLS, 14.5 % of a processor, as Lambda gives 256 MB"
        );
        assert!(lines[11].contains(" - "), "Node was not measured there");
    }

    #[test]
    fn the_document_has_every_row_and_every_goal() {
        let measured = [function("health", 8, 6), node(120, 66)];
        let goals = super::super::goals::goals(&measured);
        let document = document(&measured, &goals);
        assert_eq!(document["measured"][0]["startMs"]["p50"], 8.0);
        assert_eq!(document["measured"][1]["link"], "plain");
        assert_eq!(document["goals"][0]["isKept"], true);
    }
}
