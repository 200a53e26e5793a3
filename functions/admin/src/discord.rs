//! `DELETE /api/admin/discord/pause`: lets scans ask Discord again.

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{Access, ApiError, Context, Reply, Spec};
use shared::openapi::Operation;
use shared::scan::BOARD;

use crate::State;

pub const RESUME: Spec = Spec::delete(
    "/api/admin/discord/pause",
    "resumeDiscord",
    "Lets scans ask Discord again before the pause is over.",
)
.access(Access::Admin);

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResumedDiscord")]
struct Resumed {
    /// Whether there was a pause, for whatever reason.
    resumed: bool,
}

pub fn operations() -> Vec<Operation> {
    let resumed = "Scans may ask Discord.";
    vec![RESUME.operation().reply::<Resumed>(200, resumed)]
}

/// Ends the pause for all. Scans that wait already come back at their own time, those for
/// a refused token within a minute or so.
pub async fn resume(cx: Context<State>) -> Result<Reply, ApiError> {
    let store = cx.store();
    let mut resumed = false;
    for queue in cx.queues() {
        resumed |= store.resume_discord(None, &queue.field(BOARD)).await?;
    }
    Ok(Reply::ok(&Resumed { resumed }))
}
