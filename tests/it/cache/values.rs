//! Values that are easily confused with a missing one.

use std::collections::HashMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::cache::{Entry, GUILD};

use super::{Bench, Broken};

async fn comes_back<T>(bench: &Bench, name: &str, value: T)
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Debug,
{
    let entry: Entry<T> = Entry::new(&GUILD, name);
    let load = || async { Ok::<_, Broken>(Some(value.clone())) };
    let loaded = bench.cache.get_or_load(&entry, load).await;
    assert_eq!(loaded, Ok(Some(value.clone())), "{name}");
    let again = bench
        .cache
        .get_or_load(&entry, || async { Err(Broken) })
        .await;
    assert_eq!(again, Ok(Some(value.clone())), "{name}");
    assert_eq!(
        bench.cache.get(&entry).await.unwrap(),
        Some(Some(value.clone()))
    );

    let entry: Entry<T> = Entry::new(&GUILD, &format!("{name}-set"));
    bench.cache.set(&entry, Some(&value)).await.unwrap();
    assert_eq!(
        bench.cache.get(&entry).await.unwrap(),
        Some(Some(value.clone()))
    );
    let batch = bench.cache.get_many(vec![entry.clone()]).await.unwrap();
    bench
        .cache
        .set_many(&batch, &[(0, Some(value.clone()))])
        .await
        .unwrap();
    let batch = bench.cache.get_many(vec![entry.clone()]).await.unwrap();
    assert_eq!(batch.value(0), Some(Some(&value)), "{name}");

    bench.cache.set(&entry, None).await.unwrap();
    assert_eq!(bench.cache.get(&entry).await.unwrap(), Some(None), "{name}");
}

#[tokio::test]
async fn a_value_that_is_null_comes_back_as_it_was() {
    let bench = Bench::start().await;
    comes_back(&bench, "unit", ()).await;
    comes_back(&bench, "null", Value::Null).await;
    comes_back(&bench, "no-number", None::<u64>).await;
    comes_back(&bench, "no-numbers", Some(vec![None::<u64>, Some(7)])).await;
    comes_back(&bench, "text", "null".to_owned()).await;
}

#[tokio::test]
async fn a_value_that_is_no_json_is_a_miss_and_is_counted() {
    let bench = Bench::start().await;
    // JSON object keys must be strings, and this map's keys are not.
    type Odd = HashMap<Vec<u8>, u64>;
    let entry: Entry<Odd> = Entry::new(&GUILD, "odd");
    let odd = Odd::from([(vec![1], 2)]);
    for n in 1..=2 {
        let load = || async { Ok::<_, Broken>(Some(odd.clone())) };
        let loaded = bench.cache.get_or_load(&entry, load).await;
        assert_eq!(loaded, Ok(Some(odd.clone())));
        assert_eq!(bench.cache.counts().unwritable, n);
        assert_eq!(bench.cache.counts().misses, n);
    }
    // Storing a value explicitly replaces the older one.
    bench.cache.set(&entry, None).await.unwrap();
    bench.cache.set(&entry, Some(&odd)).await.unwrap();
    assert_eq!(bench.cache.get(&entry).await.unwrap(), None);
    assert_eq!(bench.cache.counts().unwritable, 3);
}
