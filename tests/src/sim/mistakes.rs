//! Mistakes inserted into the scripts to show that a run finds them.

use super::{Patch, Settings, run};

/// Mistakes that were made or could be made, as text replacements.
pub const MISTAKES: [(&str, Patch); 25] = [
    (
        "an outcome is accepted from whoever had the job before",
        Patch::new(
            "if header.fence ~= attempt.fence or header.state ~= 'active' then",
            "if header.state ~= 'active' then",
        ),
    ),
    (
        "a claim leaves the fence as it was",
        Patch::new(
            "'active', header.fence + 1",
            "'active', math.max(header.fence, 1)",
        ),
    ),
    (
        "a lease is taken back before its end",
        Patch::new(
            "int(ACTIVE + tx.now - EPOCH), 'BYSCORE'",
            "int(ACTIVE + tx.now + 30000 - EPOCH), 'BYSCORE'",
        ),
    ),
    (
        "a lease is renewed for whoever had the job before",
        Patch::new(
            "if not job or job.header.fence ~= attempt.fence or job.header.state",
            "if not job or job.header.state",
        ),
    ),
    (
        "a finished job stays in the index",
        Patch::new(
            "  push(tx.writes.gone, job.id)\nend\nlocal function finish",
            "end\nlocal function finish",
        ),
    ),
    (
        "a lost lease counts as an attempt",
        Patch::new(
            "header.attempts - 1, header.stalls + 1",
            "header.attempts, header.stalls + 1",
        ),
    ),
    (
        "a batch counts a job each time it ends",
        Patch::new(
            "not job.header.batched and batch_of(job) or nil",
            "batch_of(job)",
        ),
    ),
    (
        "a chain goes on after a failure",
        Patch::new(
            "if job.header.state ~= 'completed' or not chain then",
            "if not chain then",
        ),
    ),
    (
        "delayed jobs go behind all others when they are due",
        Patch::new(
            "push(due, waiting_score(run_at, priority), delayed[n])",
            "push(due, waiting_score(tx.now, priority), delayed[n])",
        ),
    ),
    (
        "a group has one too many",
        Patch::new(
            "group(name).size >= limit\nend",
            "group(name).size > limit\nend",
        ),
    ),
    (
        "an enqueue sent again does not heal its job",
        Patch::new(
            "  if job.header.fence > 0 or FINISHED[job.header.state] then return end",
            "  if true then return end",
        ),
    ),
    (
        "a job leaves the index before its outcome is stored",
        Patch::new(
            "  if #writes.parked > 0",
            "  if #writes.gone > 0 then call('ZREM', keys.index, unpack(writes.gone)); writes.gone = {} end\n  if #writes.parked > 0",
        ),
    ),
    (
        "the queue's pace is not kept",
        Patch::new(
            "  return room\nend\nlocal function take_rate",
            "  return wanted\nend\nlocal function take_rate",
        ),
    ),
    (
        "a snooze costs an attempt",
        Patch::new(
            "    if outcome == 'snooze' then header.attempts, header.stalls = header.attempts - 1, 0 end\n",
            "",
        ),
    ),
    (
        "a round sent again hands out nothing",
        Patch::new(
            "if request.replay then claim_again(request.token, lease_end) end\n",
            "",
        ),
    ),
    (
        "an attempt settled before is taken for one that lost its job",
        Patch::new(
            "if header.settled ~= attempt.fence then return 'stale' end",
            "if true then return 'stale' end",
        ),
    ),
    (
        "a redriven job keeps the attempts it had",
        Patch::new(
            "header.state, header.run_at, header.attempts, header.stalls = 'waiting', tx.now, 0, 0",
            "header.state, header.run_at, header.stalls = 'waiting', tx.now, 0",
        ),
    ),
    (
        "a unique key is held for ever",
        Patch::new(
            "  if job.spec.unique then put('u:' .. job.spec.unique, '') end\n",
            "",
        ),
    ),
    (
        "a job that is to be cancelled goes on",
        Patch::new(
            "if header.cancel and outcome ~= 'completed' then",
            "if false then",
        ),
    ),
    (
        "a pause is no pause",
        Patch::new(
            "  if found[1] == PAUSE then return ids, scores, true end\n",
            "",
        ),
    ),
    (
        "the limit of all is not kept",
        Patch::new(
            "return math.max(0, limit - call('ZCOUNT', tx.keys.index, int(ACTIVE), '+inf') + n_ended)",
            "return limit",
        ),
    ),
    (
        "a job begins after its time",
        Patch::new("tx.now >= job.spec.expires", "false"),
    ),
    (
        "a job of a stream stays in it",
        Patch::new("  call('XDEL', stream, unpack(entries))\n", ""),
    ),
    (
        "a replaced job runs as well",
        Patch::new("    finish(owner, 'cancelled')\n", ""),
    ),
    (
        "a delayed job runs at once",
        Patch::new("    if run_at > tx.now then due_at(run_at) break end\n", ""),
    ),
];

/// Returns the mistakes that no run finds. Calls `progress` for each one.
pub fn overlooked(
    mistakes: &[(&'static str, Patch)],
    progress: &mut dyn FnMut(&str, Option<u64>),
) -> Vec<&'static str> {
    let finder = |patch: Patch| {
        // The rarest mistake was found in one of ninety runs.
        (1..=150).find(|seed| {
            let settings = Settings {
                patches: vec![patch],
                ..Settings::of(*seed, 700)
            };
            run(&settings).is_err()
        })
    };
    let mut left = Vec::new();
    for (mistake, patch) in mistakes {
        let found = finder(*patch);
        progress(mistake, found);
        if found.is_none() {
            left.push(*mistake);
        }
    }
    left
}
