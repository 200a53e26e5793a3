//! The limit on guessing keys.
//!
//! An unknown key counts against the address it came from, under the same limit as signing
//! in: switching between the two gives a guesser no extra attempts. An address that has used
//! up its limit is refused before its next key is compared.

use super::auth::bearer;
use super::identity::identity;
use super::{Access, Action, ApiError, Caller, Request, Services};
use crate::rate_limiter::{Reason, Verdict};
use crate::redis::{Redis, Scope};

/// Who calls a route. An unknown key is counted.
///
/// # Errors
/// 429 when too many such keys came from the address, 503 when that cannot be checked.
pub(super) async fn caller(
    services: &Services,
    access: Access,
    request: &Request,
) -> Result<Caller, ApiError> {
    // A route open to all does not reveal whether a key is valid.
    if access == Access::Open || bearer(request).is_none() {
        return Ok(services.auth.caller(request).await);
    }
    let rule = Action::Login.rule(&services.config.limits);
    let address = identity(&Caller::Anonymous, request);
    let now_ms = services.clock.now_ms();
    let call = services.limiter.call(&rule, &address, 1);
    if let Some(refused) = services.limiter.blocked(&call) {
        return Err(locked_out(&refused, now_ms));
    }
    // This environment saw the limit used up. Redis knows whether it still is.
    if services.limiter.last_seen(&rule, &address).remaining == 0 {
        services.anonymous.take(&services.clock)?;
        let redis = checking(services);
        match services.limiter.peek(&redis, &rule, &address).await {
            Ok(quota) if quota.remaining == 0 => return Err(locked_out(&quota, now_ms)),
            Ok(_) => {}
            Err(_) => return Err(ApiError::limit_unknown()),
        }
    }
    let caller = services.auth.caller(request).await;
    if caller == Caller::Anonymous {
        services.anonymous.take(&services.clock)?;
        let verdict = services.limiter.check(&checking(services), &call).await;
        if !verdict.admitted {
            return Err(locked_out(&verdict, now_ms));
        }
    }
    Ok(caller)
}

/// The error of a verdict that does not admit a key.
fn locked_out(verdict: &Verdict, now_ms: i64) -> ApiError {
    if verdict.reason == Reason::Unavailable {
        return ApiError::limit_unknown();
    }
    let seconds = verdict.retry_after_secs(now_ms);
    ApiError::too_many_unknown_keys(seconds, verdict.reset_at_ms)
}

/// Redis, for a check that nothing else depends on.
fn checking(services: &Services) -> Redis {
    services.redis.scoped(Scope {
        deadline: Some(services.clock.deadline(services.config.limits.patience)),
        sync_token: None,
    })
}
