//! What schedules cost.

use super::{MINUTE, scheduled};
use crate::Costs;

#[tokio::test]
async fn schedules_cost_what_the_golden_file_says() {
    let app = scheduled().await;
    app.drain().await;
    let mut costs = Costs::of(&app.endpoint);
    app.advance(MINUTE);
    app.drain().await;
    costs.row("an idle minute with a schedule");
    app.advance(14 * MINUTE);
    app.drain().await;
    app.advance(15 * MINUTE);
    app.drain().await;
    app.advance(15 * MINUTE);
    app.endpoint.reset_meter();
    app.drain().await;
    costs.row("a slot of a channel without news, with the look");
    let guild = super::guild::hourly().await;
    super::guild::next_slot(&guild).await;
    guild.advance(60 * MINUTE);
    let mut of_guild = Costs::of(&guild.endpoint);
    guild.drain().await;
    of_guild.row("a slot of a guild without news, with the look");
    costs.rows.append(&mut of_guild.rows);
    crate::golden("schedule-costs", &costs.rows);
}

#[tokio::test]
async fn without_a_schedule_an_idle_minute_is_one_command() {
    let app = scheduled().await;
    app.delete(&super::of_channel(crate::scan::CHANNEL)).await;
    app.advance(15 * MINUTE);
    app.drain().await;
    app.advance(MINUTE);
    app.endpoint.reset_meter();
    app.drain().await;
    assert_eq!(app.cost(), (1, 1));
}
