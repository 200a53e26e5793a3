//! `DELETE /api/admin/discord/pause`: lets scans ask Discord again.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request};
use shared::redis::Redis;

use crate::State;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Resumed {
    /// Whether Discord was left alone, for whatever reason.
    resumed: bool,
}

/// Ends the pause for all. Scans that wait already come back at their own time, those for
/// a refused token within a minute or so.
pub async fn resume(state: Arc<State>, redis: Redis, _: Request) -> Result<Reply, ApiError> {
    let store = state.store.on(&redis);
    let mut resumed = false;
    for queue in &state.queues {
        let board = queue.field(shared::scan::BOARD);
        resumed |= store.resume_discord(None, &board).await?;
    }
    Ok(Reply::ok(&Resumed { resumed }))
}
