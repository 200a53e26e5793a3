//! The filters and orders of the list, against the clips that the list shows without any.

use std::collections::BTreeSet;

use discord_local::guild::{AttachmentSpec, Author, ChannelSpec, IS_CLIP, IS_SPOILER, MessageSpec};
use integration::TestApp;
use serde_json::{Value, json};

use super::all;
use crate::limits::CHECK;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

const CHANNELS: u64 = 5;
const AUTHOR: u64 = 1_100_000_000_000_000_010;
const WORDS: [&str; 6] = ["ace", "clutch", "Über", "fail", "日本", "grande"];
const PROVIDERS: [&str; 2] = ["YouTube", "Twitch"];

/// Five channels of clips that differ in everything that can be asked for.
async fn system(n: usize) -> TestApp {
    let mut guild = guild_with(0, 1);
    for channel in 1..CHANNELS {
        guild.add_channel(ChannelSpec::text(CHANNEL + channel, "more"));
    }
    for i in 0..n {
        // A generator of numbers without a pattern that the filters could follow.
        let dice = |sides: usize, salt: usize| (i * 7919 + salt * 104_729) / 13 % sides;
        let at = FIRST_MS + (i / 3) as i64 * 1000;
        let text = format!("{} {}", WORDS[dice(6, 1)], WORDS[dice(6, 2)]);
        let author = Author::new(AUTHOR + dice(4, 3) as u64, "someone");
        let message = MessageSpec::text(&text).at_ms(at).author(author);
        let message = match dice(5, 4) {
            0 => message.embed(json!({
                "type": "video", "url": format!("https://v.example/{i}"),
                "title": format!("the {}", WORDS[dice(6, 5)]),
                "provider": { "name": PROVIDERS[dice(2, 6)] },
                "video": { "url": format!("https://v.example/p/{i}") },
            })),
            _ => {
                let mut flags = 0;
                flags |= if dice(3, 7) == 0 { IS_SPOILER } else { 0 };
                flags |= if dice(4, 8) == 0 { IS_CLIP } else { 0 };
                let seconds = [None, Some(3.0), Some(12.5), Some(61.25), Some(600.0)][dice(5, 9)];
                let name = format!("{}_{i}.mp4", WORDS[dice(6, 10)]);
                message.attachment(
                    AttachmentSpec::video(&name)
                        .flags(flags)
                        .declared_secs(seconds),
                )
            }
        };
        guild.add_message(CHANNEL + dice(5, 11) as u64, message);
    }
    let app = TestApp::with_guild(guild).await;
    app.leaves_any_jobs();
    for channel in 0..CHANNELS {
        app.scan(CHANNEL + channel, json!({})).await;
    }
    app.drain().await;
    app
}

/// A clip as text, for comparing sets.
fn name(clip: &Value) -> String {
    format!(
        "{}/{}",
        clip["messageId"].as_str().unwrap(),
        clip["id"].as_str().unwrap()
    )
}

fn words(clip: &Value) -> BTreeSet<String> {
    let texts = ["title", "filename", "text"].map(|field| clip[field].as_str().unwrap_or(""));
    let words = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    words.map(str::to_lowercase).collect()
}

/// One condition: its part of a query, and which clips fulfil it.
type Condition = (String, Box<dyn Fn(&Value) -> bool>);

fn conditions() -> Vec<Vec<Condition>> {
    fn of(query: &str, test: impl Fn(&Value) -> bool + 'static) -> Condition {
        (query.to_owned(), Box::new(test))
    }
    fn channels(n: u64) -> Condition {
        let ids: Vec<String> = (0..n)
            .map(|channel| (CHANNEL + channel).to_string())
            .collect();
        let query = format!("channelId={}", ids.join(","));
        of(&query, move |clip| {
            ids.iter().any(|id| clip["channelId"] == **id)
        })
    }
    fn text(query: &'static str, wanted: &'static [&'static str]) -> Condition {
        of(&format!("text={query}"), |clip| {
            wanted.iter().all(|word| words(clip).contains(*word))
        })
    }
    let seconds = |clip: &Value| clip["durationSeconds"].as_f64();
    let at = |clip: &Value| clip["postedAt"].as_i64().unwrap();
    let middle = FIRST_MS + 40_000;
    vec![
        vec![channels(1), channels(2), channels(3), channels(4)],
        vec![
            of(&format!("authorId={AUTHOR}"), |clip| {
                clip["authorId"].as_str() == Some("1100000000000000010")
            }),
            of("authorId=1999999999999999999", |_| false),
        ],
        vec![
            text("ace", &["ace"]),
            text("%C3%9CBER", &["über"]),
            text("clutch%2C+ACE%21", &["clutch", "ace"]),
            text("%E6%97%A5%E6%9C%AC", &["日本"]),
            text("nothing", &["nothing"]),
        ],
        vec![
            of("source=embed", |clip| clip["source"] == "embed"),
            of("source=attachment", |clip| clip["source"] == "attachment"),
        ],
        vec![of("provider=youtube", |clip| clip["provider"] == "YouTube")],
        vec![
            of("minSeconds=12.5", move |clip| {
                seconds(clip).is_none_or(|s| s >= 12.5)
            }),
            of("maxSeconds=12.5", move |clip| {
                seconds(clip).is_none_or(|s| s <= 12.5)
            }),
            of("unknownLength=omit", move |clip| seconds(clip).is_some()),
            of(
                "minSeconds=5&maxSeconds=100&unknownLength=omit",
                move |clip| seconds(clip).is_some_and(|s| (5.0..=100.0).contains(&s)),
            ),
        ],
        vec![
            of(&format!("after={middle}"), move |clip| at(clip) > middle),
            of(&format!("before={middle}"), move |clip| at(clip) < middle),
            of(
                &format!("after={}&before={middle}", middle - 20_000),
                move |clip| (middle - 20_000 + 1..middle).contains(&at(clip)),
            ),
        ],
        vec![
            of("spoiler=true", |clip| clip["spoiler"] == true),
            of("spoiler=false", |clip| clip["spoiler"] == false),
        ],
        vec![
            of("isClip=true", |clip| clip["isClip"] == true),
            of("isClip=false", |clip| clip["isClip"] == false),
        ],
    ]
}

/// Compares what a query lists with the clips that fulfil its conditions.
async fn compare(app: &TestApp, everything: &[Value], chosen: &[&Condition], sort: &str) {
    let queries = chosen.iter().map(|(query, _)| query.as_str());
    let query = queries.chain([sort]).filter(|part| !part.is_empty());
    let query = query.collect::<Vec<_>>().join("&");
    let is_longest = sort == "sort=longest";
    let fits = |clip: &&Value| {
        chosen.iter().all(|(_, test)| test(clip))
            && (!is_longest || clip["durationSeconds"].is_f64())
    };
    let expected: BTreeSet<String> = everything.iter().filter(fits).map(name).collect();
    for limit in [3, 100] {
        let found = all(app, GUILD, &format!("{query}&limit={limit}")).await;
        let names: BTreeSet<String> = found.iter().map(name).collect();
        assert_eq!(names.len(), found.len(), "{query}: one is listed twice");
        assert_eq!(names, expected, "{query}, {limit} a page");
        let seconds = |clip: &Value| clip["durationSeconds"].as_f64();
        let at = |clip: &Value| clip["postedAt"].as_i64();
        assert!(
            match sort {
                "sort=longest" => found.is_sorted_by(|a, b| seconds(a) >= seconds(b)),
                "sort=oldest" => found.is_sorted_by(|a, b| at(a) <= at(b)),
                _ => found.is_sorted_by(|a, b| at(a) >= at(b)),
            },
            "{query} is not in order"
        );
    }
}

const ORDERS: [&str; 4] = ["", "sort=newest", "sort=oldest", "sort=longest"];

#[tokio::test]
async fn each_filter_finds_what_it_says_in_each_order_page_by_page() {
    let app = system(240).await;
    let everything = all(&app, GUILD, "limit=100").await;
    assert_eq!(everything.len(), 240);
    let fruitless = |(_, test): &&Condition| !everything.iter().any(test);
    let n_fruitless = conditions().iter().flatten().filter(fruitless).count();
    // An author and a word that nobody knows.
    assert_eq!(n_fruitless, 2);
    for condition in conditions().iter().flatten() {
        for sort in ORDERS {
            compare(&app, &everything, &[condition], sort).await;
        }
    }
}

#[tokio::test]
async fn filters_together_find_what_fulfils_all_of_them() {
    let app = system(240).await;
    let everything = all(&app, GUILD, "limit=100").await;
    let groups = conditions();
    let mut dice = fastrand::Rng::with_seed(12);
    for _ in 0..60 {
        let mut chosen: Vec<&Condition> = Vec::new();
        for group in &groups {
            let n = dice.usize(..group.len() * 3);
            chosen.extend(group.get(n));
        }
        let sort = ORDERS[dice.usize(..ORDERS.len())];
        compare(&app, &everything, &chosen, sort).await;
    }
}

#[tokio::test]
async fn a_page_of_any_kind_costs_at_most_four_commands_of_its_own() {
    let app = system(240).await;
    for condition in conditions().iter().flatten() {
        for sort in ORDERS {
            let query = format!("{}&{sort}", condition.0);
            let path = format!(
                "/api/guilds/{GUILD}/clips?{}&limit=50",
                query.trim_end_matches('&')
            );
            app.endpoint.reset_meter();
            assert_eq!(app.get(&path).await.status, 200, "{path}");
            let (billed, trips) = app.cost();
            assert!(
                billed <= 4 + CHECK && trips <= 2,
                "{path}: {billed} in {trips}"
            );
        }
    }
}

#[tokio::test]
async fn clips_of_one_millisecond_are_all_listed_however_small_the_page() {
    let mut guild = guild_with(0, 1);
    for _ in 0..12 {
        let message = MessageSpec::text("look").at_ms(FIRST_MS);
        let message = (0..10).fold(message, |message, n| {
            message.attachment(AttachmentSpec::video(&format!("{n}.mp4")))
        });
        guild.add_message(CHANNEL, message);
    }
    let app = TestApp::with_guild(guild).await;
    app.leaves_any_jobs();
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for sort in ["newest", "oldest"] {
        for limit in [1, 7, 50] {
            let found = all(&app, GUILD, &format!("sort={sort}&limit={limit}")).await;
            let names: BTreeSet<String> = found.iter().map(name).collect();
            assert_eq!((found.len(), names.len()), (120, 120), "{sort} {limit}");
        }
    }
}

#[tokio::test]
async fn a_cursor_fits_its_own_query_only() {
    let app = system(60).await;
    let path = |query: &str| format!("/api/guilds/{GUILD}/clips?{query}&limit=3");
    let first = app.get(&path("text=ace")).await;
    let cursor = first.text("/nextCursor");
    for other in ["text=clutch", "sort=oldest&text=ace", "sort=longest"] {
        let reply = app.get(&format!("{}&cursor={cursor}", path(other))).await;
        assert_eq!(reply.status, 400, "{other}");
    }
    let next = app
        .get(&format!("{}&cursor={cursor}", path("text=ace")))
        .await;
    assert_eq!(next.status, 200);
    assert_ne!(next.json["clips"], first.json["clips"]);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_named() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.endpoint.reset_meter();
    let many = vec!["1200000000000000001"; 21].join(",");
    for (query, detail) in [
        (
            "text=",
            "text: expected 1 to 200 characters with at least one word",
        ),
        (
            "text=a%20!",
            "text: expected 1 to 200 characters with at least one word",
        ),
        (
            "text=mp4",
            "text: expected 1 to 200 characters with at least one word of 2 to 24 letters or \
             digits, other than the ending of a file's name",
        ),
        (
            "after=2026-02-01T00:00:00Z&before=2026-02-01T00:00:00Z",
            "before: expected a time later than `after`",
        ),
        ("authorId=mika", "authorId: expected a Discord id"),
        (
            "source=file",
            "source: expected one of `attachment`, `embed`",
        ),
        ("spoiler=yes", "spoiler: expected `true` or `false`"),
        (
            "sort=shortest",
            "sort: expected one of `newest`, `oldest`, `longest`",
        ),
        (
            "minSeconds=9&maxSeconds=8",
            "maxSeconds: expected at least `minSeconds`",
        ),
        (
            &format!("channelId={many}"),
            "channelId: expected a Discord id",
        ),
        (
            "channelId=1200000000000000001,",
            "channelId: expected a Discord id",
        ),
        (
            "channelId=1200000000000000001&channelId=1200000000000000002",
            "channelId: expected this query parameter once",
        ),
        ("chanel=1", "chanel: unknown query parameter"),
    ] {
        let reply = app.get(&format!("/api/guilds/{GUILD}/clips?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(
            reply.text("/detail").starts_with(detail),
            "{query}: {}",
            reply.json
        );
    }
    assert_eq!(app.endpoint.meter().total, 0);
}
