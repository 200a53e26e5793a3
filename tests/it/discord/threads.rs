use discord_local::{ChannelSpec, Guild, sample};

use super::{Fixture, ids};

#[tokio::test]
async fn the_guilds_channels_hold_no_threads_and_the_active_threads_only_those() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let guild = format!("/guilds/{}", sample::GUILD_ID);
    assert_eq!(fixture.get(&guild).await.body["name"], "Trawl Sample");

    let channels = fixture.get(&format!("{guild}/channels")).await.body;
    let active = fixture.get(&format!("{guild}/threads/active")).await.body;
    assert_eq!(channels.as_array().unwrap().len(), 8);
    assert_eq!(
        ids(&active["threads"]),
        [sample::GENERAL_THREAD_ID, sample::FORUM_THREAD_ID]
    );
    let thread = &active["threads"][1];
    assert_eq!(thread["parent_id"], sample::FORUM_ID.to_string());
    assert_eq!(thread["message_count"], 80);
    assert_eq!(thread["thread_metadata"]["archived"], false);
}

#[tokio::test]
async fn archived_threads_come_by_time_and_page_by_time() {
    let mut guild = Guild::empty(1).channel(ChannelSpec::forum(2, "guides"));
    for number in 0_u32..5 {
        let archived_at_ms = 1_780_000_000_000 + i64::from(number) * 1_000;
        let spec = ChannelSpec::thread(10 + u64::from(number), 2, "a guide");
        guild.add_channel(spec.archived_at_ms(archived_at_ms));
    }
    let fixture = Fixture::start(guild).await;

    let path = "/channels/2/threads/archived/public?limit=3";
    let first = fixture.get(path).await.body;
    assert_eq!(ids(&first["threads"]), [14, 13, 12]);
    assert_eq!(first["has_more"], true);
    let last = first["threads"][2]["thread_metadata"]["archive_timestamp"].clone();
    let before = last.as_str().unwrap().replace('+', "%2B");
    let second = fixture.get(&format!("{path}&before={before}")).await.body;
    assert_eq!(ids(&second["threads"]), [11, 10]);
    assert_eq!(second["has_more"], false);
}

#[tokio::test]
async fn private_archived_threads_need_a_permission_or_membership() {
    let mut guild = sample::guild(1);
    guild.can_manage_threads = false;
    let fixture = Fixture::start(guild).await;
    let channel = format!("/channels/{}", sample::CLIPS_ID);
    let private = format!("{channel}/threads/archived/private");
    let joined = format!("{channel}/users/@me/threads/archived/private");
    assert_eq!(fixture.get(&private).await.refusal(), (403, 50013));
    let mine = fixture.get(&joined).await.body;
    assert_eq!(ids(&mine["threads"]), [sample::PRIVATE_THREAD_ID]);

    fixture
        .server
        .change_guild(|guild| guild.can_manage_threads = true);
    let all = fixture.get(&private).await.body;
    assert_eq!(ids(&all["threads"]), [sample::PRIVATE_THREAD_ID]);
}

#[tokio::test]
async fn a_threads_count_drops_when_a_message_is_deleted_and_its_total_does_not() {
    let fixture = Fixture::start(sample::guild(1)).await;
    let thread_id = sample::GENERAL_THREAD_ID;
    let message_id = fixture.server.guild().message_ids(thread_id)[0];
    fixture.server.delete_message(thread_id, message_id);
    let thread = fixture.get(&format!("/channels/{thread_id}")).await.body;
    assert_eq!(thread["message_count"], 69);
    assert_eq!(thread["total_message_sent"], 70);
}
