//! What the routes of uploads accept, refuse and show.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integration::TestApp;
use serde_json::json;

use super::{begin, clips, file, finish, put_part};
use crate::scan::{GUILD, guild_with};

async fn system() -> TestApp {
    TestApp::with_guild(guild_with(1, 1)).await
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_where_it_stopped() {
    let app = system().await;
    let file = file(1000);
    let begun = begin(&app, file.len()).await;
    let id = begun["uploadId"].as_str().unwrap();
    let parts: Vec<&[u8]> = file.chunks(128 * 1024).collect();
    assert_eq!((begun["parts"].as_u64(), parts.len()), (Some(3), 3));
    assert_eq!(put_part(&app, id, 3, parts[2]).await.status, 204);
    assert_eq!(put_part(&app, id, 1, parts[0]).await.status, 204);
    let path = format!("/api/uploads/{id}");
    assert_eq!(app.get(&path).await.json["uploaded"], json!([1, 3]));
    let early = finish(&app, id).await;
    assert_eq!(
        (early.status, early.text("/code")),
        (409, "upload_incomplete")
    );
    assert_eq!(early.text("/detail"), "these parts are missing: 2");
    for _ in 0..2 {
        assert_eq!(put_part(&app, id, 2, parts[1]).await.status, 204);
    }
    let first = finish(&app, id).await;
    let again = finish(&app, id).await;
    assert_eq!((first.status, &first.json), (202, &again.json));
    let late = put_part(&app, id, 2, parts[1]).await;
    assert_eq!((late.status, late.text("/code")), (409, "upload_finished"));
    assert_eq!(app.get(&path).await.json["finished"], true);
    app.drain().await;
    assert_eq!(clips(&app).await.len(), 100);
}

#[tokio::test]
async fn an_upload_expires_after_15_minutes_and_a_finished_one_does_not() {
    let app = system().await;
    let begun = begin(&app, 2).await;
    let id = begun["uploadId"].as_str().unwrap();
    let expires = begun["expiresAt"].as_i64().unwrap();
    assert_eq!(expires, app.clock.now_ms() + 15 * 60_000);
    put_part(&app, id, 1, b"{}").await;
    app.advance(Duration::from_secs(15 * 60 + 1));
    assert_eq!(app.get(&format!("/api/uploads/{id}")).await.status, 404);
    assert_eq!(put_part(&app, id, 1, b"{}").await.status, 404);
    assert_eq!(finish(&app, id).await.text("/code"), "upload_not_found");

    let file = file(10);
    let begun = begin(&app, file.len()).await;
    let id = begun["uploadId"].as_str().unwrap();
    put_part(&app, id, 1, &file).await;
    assert_eq!(finish(&app, id).await.status, 202);
    app.advance(Duration::from_secs(3600));
    app.drain().await;
    assert_eq!(clips(&app).await, ["clip_0.mp4"]);
}

#[tokio::test]
async fn a_part_must_fit_its_place() {
    let app = system().await;
    let begun = begin(&app, 128 * 1024 + 10).await;
    let id = begun["uploadId"].as_str().unwrap();
    for (number, length, detail) in [
        (1, 5, "expected 131072 bytes; these are 5"),
        (2, 11, "expected 10 bytes; these are 11"),
        (2, 0, "expected 10 bytes; these are 0"),
    ] {
        let reply = put_part(&app, id, number, &vec![b'x'; length]).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.text("/errors/0/pointer"), "/data");
        assert_eq!(reply.text("/errors/0/detail"), detail);
    }
    for number in [0, 3, 513] {
        let reply = put_part(&app, id, number, b"x").await;
        assert_eq!(reply.status, 400, "{number}");
        assert_eq!(reply.text("/errors/0/parameter"), "number", "{number}");
    }
    let path = format!("/api/uploads/{id}/parts/2");
    let odd = app.put(&path, &json!({ "data": "no base64!" })).await;
    assert_eq!((odd.status, odd.text("/errors/0/pointer")), (400, "/data"));
    let large = STANDARD.encode(vec![b'x'; 256 * 1024]);
    let large = app.put(&path, &json!({ "data": large })).await;
    assert_eq!(large.status, 413);
    assert_eq!(
        app.get(&format!("/api/uploads/{id}")).await.json["uploaded"],
        json!([])
    );
}

#[tokio::test]
async fn a_file_has_a_size_and_a_guild() {
    let app = system().await;
    let guild = GUILD.to_string();
    for (body, pointer) in [
        (json!({ "sizeBytes": 5 }), "/guildId"),
        (json!({ "guildId": guild }), "/sizeBytes"),
        (json!({ "guildId": guild, "sizeBytes": 0 }), "/sizeBytes"),
        (
            json!({ "guildId": guild, "sizeBytes": 67_108_865 }),
            "/sizeBytes",
        ),
        (
            json!({ "guildId": guild, "sizeBytes": 5, "sizeByte": 5 }),
            "/sizeByte",
        ),
        (
            json!({ "guildId": "0123456789012345678", "sizeBytes": 5 }),
            "/guildId",
        ),
    ] {
        let reply = app.post("/api/uploads", &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.text("/errors/0/pointer"), pointer, "{body}");
    }
    let none = app.get("/api/uploads/01KB8D00000000000000000000").await;
    assert_eq!((none.status, none.text("/code")), (404, "upload_not_found"));
    assert_eq!(app.get("/api/uploads/7").await.status, 400);
}

#[tokio::test]
async fn ten_uploads_may_begin_in_an_hour() {
    let app = system().await;
    for _ in 0..10 {
        begin(&app, 5).await;
    }
    let body = json!({ "guildId": GUILD.to_string(), "sizeBytes": 5 });
    let refused = app.post("/api/uploads", &body).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"upload\";q=10;w=3600")
    );
    app.advance(Duration::from_secs(3720));
    begin(&app, 5).await;
}
