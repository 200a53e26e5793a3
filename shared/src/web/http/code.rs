//! The causes for which a request is refused or fails, each with a stable name.
//!
//! `docs/ERRORS.md` has a section for each cause, and the `type` of a problem points to it. A
//! test compares the two.

use lambda_http::http::StatusCode;

/// Where the sections are, from the root of the repository.
const SECTIONS: &str = "/docs/ERRORS.md";

macro_rules! codes {
    ($($code:ident = $name:literal, $status:ident;)+) => {
        /// Why a request was refused or failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "docs/ERRORS.md describes each")]
        pub enum ErrorCode {
            $($code,)+
        }

        impl ErrorCode {
            /// Every cause.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$code,)+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(ErrorCode::$code => $name,)+
                }
            }

            /// The HTTP status of the reply.
            pub fn status(self) -> StatusCode {
                match self {
                    $(ErrorCode::$code => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", BAD_REQUEST;
    InvalidBody = "invalid_body", BAD_REQUEST;
    InvalidParameter = "invalid_parameter", BAD_REQUEST;
    InvalidHeader = "invalid_header", BAD_REQUEST;
    MissingToken = "missing_token", UNAUTHORIZED;
    InvalidToken = "invalid_token", UNAUTHORIZED;
    SessionExpired = "session_expired", UNAUTHORIZED;
    UnknownKey = "unknown_key", UNAUTHORIZED;
    InsufficientScope = "insufficient_scope", FORBIDDEN;
    ForeignOrigin = "foreign_origin", FORBIDDEN;
    UnknownHost = "unknown_host", FORBIDDEN;
    RouteNotFound = "route_not_found", NOT_FOUND;
    JobNotFound = "job_not_found", NOT_FOUND;
    GuildNotFound = "guild_not_found", NOT_FOUND;
    ChannelNotFound = "channel_not_found", NOT_FOUND;
    UploadNotFound = "upload_not_found", NOT_FOUND;
    FlagNotFound = "flag_not_found", NOT_FOUND;
    QueueNotFound = "queue_not_found", NOT_FOUND;
    ClipNotFound = "clip_not_found", NOT_FOUND;
    ClipGone = "clip_gone", NOT_FOUND;
    ExportNotFound = "export_not_found", NOT_FOUND;
    NotVisible = "not_visible", NOT_FOUND;
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    JobUnfinished = "job_unfinished", CONFLICT;
    JobFinished = "job_finished", CONFLICT;
    JobNotFailed = "job_not_failed", CONFLICT;
    JobDuplicate = "job_duplicate", CONFLICT;
    ExportUnfinished = "export_unfinished", CONFLICT;
    ClipExternal = "clip_external", CONFLICT;
    ChannelExcluded = "channel_excluded", CONFLICT;
    UploadFinished = "upload_finished", CONFLICT;
    UploadIncomplete = "upload_incomplete", CONFLICT;
    TooManySchedules = "too_many_schedules", CONFLICT;
    SettingsContended = "settings_contended", CONFLICT;
    InProgress = "in_progress", CONFLICT;
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED;
    TooLarge = "too_large", PAYLOAD_TOO_LARGE;
    NotJson = "not_json", UNSUPPORTED_MEDIA_TYPE;
    KeyUsed = "key_used", UNPROCESSABLE_ENTITY;
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS;
    TooManyUnknownKeys = "too_many_unknown_keys", TOO_MANY_REQUESTS;
    Internal = "internal", INTERNAL_SERVER_ERROR;
    Unavailable = "unavailable", SERVICE_UNAVAILABLE;
    QueueFull = "queue_full", SERVICE_UNAVAILABLE;
    SwitchedOff = "switched_off", SERVICE_UNAVAILABLE;
    NotYetKnown = "not_yet_known", SERVICE_UNAVAILABLE;
    LimitUnknown = "limit_unknown", SERVICE_UNAVAILABLE;
    ClockWrong = "clock_wrong", SERVICE_UNAVAILABLE;
    DiscordUnavailable = "discord_unavailable", SERVICE_UNAVAILABLE;
}

impl ErrorCode {
    /// The `type` of a problem with this cause: a section of a page under `docs/`.
    pub fn problem_type(self) -> String {
        format!("{SECTIONS}#{}", self.name())
    }
}
