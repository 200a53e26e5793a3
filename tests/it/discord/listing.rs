use discord_local::{Guild, MessageSpec, sample};

use super::{Fixture, NOW_MS, id, numbered};

const PATH: &str = "/channels/2/messages";

#[tokio::test]
async fn a_page_is_the_newest_fifty_newest_first_unless_asked_otherwise() {
    let fixture = Fixture::start(numbered(120)).await;
    let expected: Vec<u64> = (1_070..1_120).rev().collect();
    assert_eq!(fixture.ids(PATH).await, expected);
}

#[tokio::test]
async fn before_is_exclusive_and_gives_what_comes_next_before() {
    let fixture = Fixture::start(numbered(120)).await;
    let page = fixture.ids(&format!("{PATH}?before=1050&limit=3")).await;
    assert_eq!(page, [1_049, 1_048, 1_047]);
}

#[tokio::test]
async fn after_gives_what_comes_next_after_and_still_newest_first() {
    let fixture = Fixture::start(numbered(120)).await;
    let page = fixture.ids(&format!("{PATH}?after=1050&limit=3")).await;
    assert_eq!(page, [1_053, 1_052, 1_051]);
    let first = fixture.ids(&format!("{PATH}?after=0&limit=2")).await;
    assert_eq!(first, [1_001, 1_000]);
}

#[tokio::test]
async fn around_holds_the_message_itself_and_both_sides() {
    let fixture = Fixture::start(numbered(120)).await;
    let page = fixture.ids(&format!("{PATH}?around=1050&limit=5")).await;
    assert_eq!(page, [1_052, 1_051, 1_050, 1_049, 1_048]);
}

#[tokio::test]
async fn a_cursor_may_be_deleted_made_up_or_in_the_future() {
    let fixture = Fixture::start(numbered(10)).await;
    assert!(fixture.server.delete_message(2, 1_005));
    let older = fixture.ids(&format!("{PATH}?before=1005&limit=1")).await;
    assert_eq!(older, [1_004]);
    let newer = fixture.ids(&format!("{PATH}?after=1004&limit=1")).await;
    assert_eq!(newer, [1_006]);
    let future = fixture
        .ids(&format!("{PATH}?before={}&limit=1", u64::MAX))
        .await;
    assert_eq!(future, [1_009]);
    let none = fixture.ids(&format!("{PATH}?after={}", u64::MAX)).await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_limit_or_cursor_out_of_form_is_refused() {
    let fixture = Fixture::start(numbered(1)).await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=many",
        "before=yesterday",
        "before=5&after=1",
    ] {
        let answer = fixture.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.refusal(), (400, 50035), "{query}");
        assert!(answer.body["errors"].is_object(), "{query}");
    }
}

#[tokio::test]
async fn paging_either_way_sees_every_message_of_the_sample_once() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let channel_id = sample::CLIPS_ID;
    let expected = fixture.server.guild().message_ids(channel_id);

    let path = format!("/channels/{channel_id}/messages?limit=100");
    let mut backward = fixture.ids(&path).await;
    while let Some(oldest) = backward.last().copied() {
        let page = fixture.ids(&format!("{path}&before={oldest}")).await;
        if page.is_empty() {
            break;
        }
        backward.extend(page);
    }
    backward.reverse();
    assert_eq!(backward, expected);

    let mut forward: Vec<u64> = Vec::new();
    loop {
        let newest = forward.last().copied().unwrap_or(0);
        let page = fixture.ids(&format!("{path}&after={newest}")).await;
        if page.is_empty() {
            break;
        }
        forward.extend(page.into_iter().rev());
    }
    assert_eq!(forward, expected);
}

#[tokio::test]
async fn an_added_message_is_the_newest_and_made_now() {
    let fixture = Fixture::start(numbered(3)).await;
    let added = fixture
        .server
        .add_message(2, MessageSpec::video("goal.mp4"))
        .unwrap();
    assert_eq!(discord_local::snowflake::ms_of(added), NOW_MS);
    assert_eq!(fixture.ids(&format!("{PATH}?limit=1")).await, [added]);
    assert_eq!(fixture.server.guild().clip_message_ids(2), [added]);
}

#[tokio::test]
async fn one_message_can_be_read_until_it_is_deleted() {
    let fixture = Fixture::start(numbered(3)).await;
    let answer = fixture.get(&format!("{PATH}/1001")).await;
    assert_eq!((answer.status.as_u16(), id(&answer.body)), (200, 1_001));
    assert!(fixture.server.delete_message(2, 1_001));
    let answer = fixture.get(&format!("{PATH}/1001")).await;
    assert_eq!(answer.refusal(), (404, 10008));
}

#[tokio::test]
async fn a_forward_carries_a_snapshot_and_a_reply_the_whole_message() {
    let mut guild = Guild::empty(1);
    guild.add_text_channel(2, "clips");
    let original = guild.add_message(2, MessageSpec::video("goal.mp4"));
    let forward = guild.forward(2, original).unwrap();
    let reply = guild.reply(2, original, "nice").unwrap();
    let forwarded = guild.add_message(2, forward);
    guild.add_message(2, reply);
    assert_eq!(guild.clip_message_ids(2), [original, forwarded]);

    let fixture = Fixture::start(guild).await;
    let page = fixture.get(PATH).await.body;
    let (reply, forward, original) = (&page[0], &page[1], &page[2]);
    assert_eq!(forward["message_reference"]["type"], 1);
    let snapshot = &forward["message_snapshots"][0]["message"];
    assert_eq!(snapshot["attachments"], original["attachments"]);
    assert!(snapshot.get("author").is_none());
    assert_eq!(forward["attachments"].as_array().unwrap().len(), 0);
    assert_eq!(reply["type"], 19);
    assert_eq!(&reply["referenced_message"], original);
}
