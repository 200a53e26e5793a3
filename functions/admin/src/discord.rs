//! `DELETE /api/admin/discord/pause`: ends a pause, so that scans send Discord requests again.

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{Access, ApiError, Context, Reply, Spec};
use shared::openapi::Operation;
use shared::scan::BOARD;

use crate::State;

pub const RESUME: Spec = Spec::delete(
    "/api/admin/discord/pause",
    "resumeDiscord",
    "Resume requests to Discord",
)
.access(Access::Admin);

/// Whether a pause was ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ResumedDiscord")]
struct Resumed {
    /// Whether there was a pause to end.
    resumed: bool,
}

pub fn operations() -> Vec<Operation> {
    let resumed = "Scans may ask Discord again.";
    vec![RESUME.operation().describe("Ends the pause in which no scan asks Discord for anything, whatever it was for. Scans that wait already continue at the time they were given, those that wait because of a refused token within about a minute.").reply::<Resumed>(200, resumed)]
}

/// Ends the pause for all jobs. Waiting scans resume at their scheduled time; those that
/// wait because the token was refused resume within about a minute.
pub async fn resume(cx: Context<State>) -> Result<Reply, ApiError> {
    let store = cx.store();
    let resumed = store.resume_discord(None, &cx.queue().field(BOARD)).await?;
    Ok(Reply::ok(&Resumed { resumed }))
}
