use discord_local::{Author, Guild, MessageSpec, guild::BOT_ID, sample};
use serde_json::json;

use super::{Answer, Fixture, TOKEN, USER_AGENT, ids, numbered};

#[tokio::test]
async fn without_discords_user_agent_nothing_is_answered() {
    let fixture = Fixture::start(numbered(1)).await;
    let url = format!("{}/users/@me", fixture.server.url());
    let request = fixture.client.get(url);
    let request = request.header("authorization", format!("Bot {TOKEN}"));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.refusal(), (403, 40333));
}

#[tokio::test]
async fn only_the_bots_token_is_accepted_and_only_as_a_bots() {
    let fixture = Fixture::start(numbered(1)).await;
    for authorization in [
        "Bot other".to_owned(),
        TOKEN.to_owned(),
        format!("Bearer {TOKEN}"),
    ] {
        let url = format!("{}/users/@me", fixture.server.url());
        let request = fixture.client.get(url).header("user-agent", USER_AGENT);
        let request = request.header("authorization", authorization);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.refusal(), (401, 0));
    }
}

#[tokio::test]
async fn what_does_not_exist_has_a_code_for_each_kind() {
    let fixture = Fixture::start(numbered(1)).await;
    for (path, refusal) in [
        ("/channels/9", (404, 10003)),
        ("/channels/9/messages", (404, 10003)),
        ("/channels/9/messages/1", (404, 10003)),
        ("/channels/2/messages/1", (404, 10008)),
        ("/guilds/9", (404, 10004)),
        ("/guilds/9/channels", (404, 10004)),
        ("/guilds/9/threads/active", (404, 10004)),
        ("/channels/two/messages", (400, 50035)),
        ("/nothing/here", (404, 0)),
    ] {
        assert_eq!(fixture.get(path).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test]
async fn a_hidden_channel_is_listed_but_answers_missing_access() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let channel_id = sample::STAFF_ID;
    for path in ["", "/messages", "/messages/1", "/threads/archived/public"] {
        let answer = fixture.get(&format!("/channels/{channel_id}{path}")).await;
        assert_eq!(answer.refusal(), (403, 50001), "{path}");
    }
    let path = format!("/guilds/{}/channels", sample::GUILD_ID);
    assert!(ids(&fixture.get(&path).await.body).contains(&channel_id));
}

#[tokio::test]
async fn without_history_a_listing_is_empty_though_there_is_a_last_message() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let path = format!("/channels/{}", sample::NO_HISTORY_ID);
    assert!(fixture.get(&path).await.body["last_message_id"].is_string());
    assert!(fixture.ids(&format!("{path}/messages")).await.is_empty());

    let empty = format!("/channels/{}", sample::EMPTY_ID);
    assert!(fixture.get(&empty).await.body["last_message_id"].is_null());
}

#[tokio::test]
async fn a_forum_has_no_messages_of_its_own() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let path = format!("/channels/{}", sample::FORUM_ID);
    let forum = fixture.get(&path).await.body;
    assert_eq!(forum["type"], 15);
    let newest_thread = sample::FORUM_ARCHIVED_THREAD_ID.to_string();
    assert_eq!(forum["last_message_id"], json!(newest_thread));
    assert!(fixture.ids(&format!("{path}/messages")).await.is_empty());
}

#[tokio::test]
async fn without_the_intent_messages_of_others_are_empty_and_the_flag_is_missing() {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    let original = guild.add_message(2, MessageSpec::video("goal.mp4"));
    let forward = guild.forward(2, original).unwrap();
    guild.add_message(2, forward);
    guild.add_message(
        2,
        MessageSpec::text("mine").author(Author::new(BOT_ID, "bot")),
    );
    let fixture = Fixture::start(guild).await;
    let flags = async || fixture.get("/applications/@me").await.body["flags"].as_u64();
    assert_ne!(flags().await.unwrap() & (1 << 18 | 1 << 19), 0);

    fixture.server.set_message_content_intent(false);
    assert_eq!(flags().await.unwrap() & (1 << 18 | 1 << 19), 0);
    let page = fixture.get("/channels/2/messages").await.body;
    let (own, forward, original) = (&page[0], &page[1], &page[2]);
    assert_eq!(own["content"], "mine");
    for message in [original, &forward["message_snapshots"][0]["message"]] {
        assert_eq!(message["content"], "");
        for key in ["attachments", "embeds", "components"] {
            assert_eq!(message[key], json!([]), "{key}");
        }
    }
}

#[tokio::test]
async fn a_version_that_is_gone_is_refused() {
    let fixture = Fixture::start(numbered(1)).await;
    let url = fixture.server.url().replace("/v10", "/v6") + "/users/@me";
    let request = fixture.client.get(url).header("user-agent", USER_AGENT);
    let request = request.header("authorization", format!("Bot {TOKEN}"));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn requests_are_remembered_until_cleared() {
    let fixture = Fixture::start(numbered(1)).await;
    fixture.get("/channels/2/messages?limit=7").await;
    fixture.get("/channels/9").await;
    let seen = fixture.server.requests();
    assert_eq!(seen[0].path, "/api/v10/channels/2/messages");
    assert_eq!((seen[0].query.as_str(), seen[0].status), ("limit=7", 200));
    assert_eq!((seen[1].method.as_str(), seen[1].status), ("GET", 404));
    fixture.server.clear_requests();
    assert_eq!(fixture.server.requests(), []);
}
