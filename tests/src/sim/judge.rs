//! Checks the reply to a call.

use upstash_local::DirectReply;

use super::answers::TickAnswer;
use super::calls::{Call, TickRequest, Version};
use super::expect::{
    expect_cancel, expect_change, expect_enqueue, expect_purge, expect_redrive, expect_tick,
};
use super::history::{History, Step, Violation, violation};
use super::state::{Phase, words};

impl History {
    /// Compares the reply with the one expected from the state before.
    ///
    /// # Errors
    /// If they differ.
    pub(super) fn check_answer(&mut self, step: &Step<'_>) -> Result<(), Violation> {
        if let DirectReply::Error(text) = step.reply {
            return match step.cut {
                true => Ok(()),
                false => violation("answer", format!("a script failed: {text}")),
            };
        }
        match step.call {
            Call::Tick(request) => self.check_tick(step, request),
            Call::Enqueue(request, specs) => {
                let expected = expect_enqueue(step.before, request, specs, step.version);
                let DirectReply::Array(items) = step.reply else {
                    return violation("answer", "no list");
                };
                let answers: Vec<Vec<String>> =
                    items.iter().map(|item| words(item.clone())).collect();
                let should: Vec<Vec<String>> = expected
                    .iter()
                    .map(|(word, id)| vec![(*word).to_owned(), id.clone()])
                    .collect();
                same("enqueue answers", &answers, &should)?;
                for (word, id) in &expected {
                    let record = step.after.record(id);
                    let there = record.is_some_and(|record| record.spec.is_some());
                    let not_stored = matches!(*word, "full" | "slot" | "gone");
                    if !there && !not_stored {
                        return violation("I4 acknowledged", format!("{id}: {word}, not there"));
                    }
                    if *word == "new"
                        && record.is_none_or(|record| record.index.or(record.finished).is_none())
                    {
                        return violation("I1 place", format!("{id}: new, not indexed"));
                    }
                }
                Ok(())
            }
            Call::Cancel(request) => same(
                "cancel answer",
                &text(step.reply),
                &expect_cancel(step.before, &request.id),
            ),
            Call::Change(request) => same(
                "change answer",
                &text(step.reply),
                &expect_change(step.before, &request.id, request.run_at.is_some()),
            ),
            Call::Purge(request) => {
                let word = match step.reply {
                    DirectReply::Array(parts) => parts.first().map_or(String::new(), text),
                    reply => text(reply),
                };
                same(
                    "purge answer",
                    &word,
                    &expect_purge(step.before, &request.id),
                )
            }
            Call::Redrive(request) => same(
                "redrive answers",
                &words(step.reply.clone()),
                &expect_redrive(step.before, request),
            ),
            Call::Retain(_) | Call::Audit(_) | Call::Pause | Call::Resume => Ok(()),
        }
    }

    fn check_tick(&mut self, step: &Step<'_>, request: &TickRequest) -> Result<(), Violation> {
        let answer = TickAnswer::parse(step.reply).or_else(|why| violation("answer", why))?;
        let expected = expect_tick(step.before, request, step.version);
        same("settle answers", &answer.settled, &expected.settled)?;
        same("renew answers", &answer.renewed, &expected.renewed)?;
        if request.limits.group_limit.is_none() {
            let mut claimed: Vec<&String> = answer.claimed.iter().map(|job| &job.id).collect();
            let mut should: Vec<&String> = expected.claimed.iter().collect();
            if request.replay {
                claimed.sort_unstable();
                should.sort_unstable();
            }
            same("I8 claim order", &claimed, &should)?;
            let ended: Vec<String> = answer.ended.iter().map(|job| job.id.clone()).collect();
            same("ended answers", &ended, &expected.ended)?;
            same("paused", &answer.paused, &expected.paused)?;
        }
        self.handed_out(step, request, &answer)
    }

    fn handed_out(
        &mut self,
        step: &Step<'_>,
        request: &TickRequest,
        answer: &TickAnswer,
    ) -> Result<(), Violation> {
        let token = request.token.as_str();
        // The previous release hands out a job in the same call that sweeps it.
        let is_known = step.version == Version::Before && request.replay && request.sweep;
        for job in &answer.claimed {
            let (id, fence) = (&job.id, job.header.fence);
            let Some(stored) = step.after.record(id) else {
                return violation("I2 handed out", format!("{id}: handed out, not there"));
            };
            if (stored.fence() != fence || stored.phase() != Phase::Active) && !is_known {
                return violation(
                    "I2 handed out",
                    format!("{id}: handed out as it is not stored"),
                );
            }
            let known = self.known.entry(id.clone()).or_default();
            let holder = known
                .handed
                .entry(fence)
                .or_insert_with(|| token.to_owned());
            if holder != token {
                return violation(
                    "I2 handed out",
                    format!("{id}: fence {fence} was {holder}'s"),
                );
            }
            let spec = stored.spec.as_ref().map(|spec| spec.text.as_str());
            if spec != Some(job.spec.as_str()) || stored.data.as_deref().unwrap_or("") != job.data {
                return violation("I2 handed out", format!("{id}: not as it is stored"));
            }
            let run_at = step.before.record(id).map_or(0, |record| record.run_at());
            if step.true_ms + step.skew_ms < run_at && !self.undated.contains(id) {
                return violation(
                    "I7 too early",
                    format!("{id}: started {} ms before its time", run_at - step.true_ms),
                );
            }
        }
        Ok(())
    }
}

fn same<A: std::fmt::Debug + PartialEq<B>, B: std::fmt::Debug>(
    rule: &'static str,
    found: &A,
    expected: &B,
) -> Result<(), Violation> {
    match found == expected {
        true => Ok(()),
        false => violation(rule, format!("answered {found:?}, expected {expected:?}")),
    }
}

fn text(reply: &DirectReply) -> String {
    match reply {
        DirectReply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}
