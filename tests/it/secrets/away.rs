//! While SSM Parameter Store is unavailable, the values read before stay in use.

use integration::ssm::Mood;

use super::{ADMIN_KEY, API_KEY, MINUTE, status, with_kept};

const KEY: &str = "the-key-of-the-api-0";
const ADMIN: &str = "the-key-of-the-admin";

#[tokio::test]
async fn previous_values_stay_in_use_and_the_store_is_retried_once_a_minute() {
    for mood in [Mood::Away, Mood::Denies] {
        let (app, ssm) = with_kept(&[(API_KEY, KEY), (ADMIN_KEY, ADMIN)]).await;
        ssm.set_mood(mood);
        app.advance(5 * MINUTE);
        assert_eq!(status(&app, KEY).await, 200);
        let n_calls = ssm.calls().len();
        // A failure of the store is retried at once; a refusal is not.
        assert_eq!(n_calls, if mood == Mood::Away { 4 } else { 2 });
        for _ in 0..5 {
            assert_eq!(status(&app, KEY).await, 200);
        }
        assert_eq!(ssm.calls().len(), n_calls);
        // The store is back.
        ssm.set_mood(Mood::Answers);
        ssm.put(API_KEY.1, "the-key-of-the-api-1");
        app.advance(MINUTE);
        assert_eq!(status(&app, KEY).await, 401);
        assert_eq!(status(&app, "the-key-of-the-api-1").await, 200);
    }
}
