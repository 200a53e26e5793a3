//! A line in CloudWatch's embedded metric format.

use serde_json::{Map, Value, json};

use crate::config::MetricsConfig;

const NAMESPACE: &str = "Trawl";

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// A percentage.
    Percent,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Count => "Count",
            Unit::Milliseconds => "Milliseconds",
            Unit::Percent => "Percent",
        }
    }
}

/// The metrics of one invocation.
#[derive(Clone, Debug)]
pub struct Event {
    timestamp_ms: i64,
    metrics: Vec<(&'static str, Unit)>,
    fields: Map<String, Value>,
}

impl Event {
    pub(super) fn new(config: &MetricsConfig, timestamp_ms: i64) -> Event {
        let mut fields = Map::new();
        fields.insert("Stage".to_owned(), json!(config.stage));
        fields.insert("Function".to_owned(), json!(config.function));
        Event {
            timestamp_ms,
            metrics: Vec::new(),
            fields,
        }
    }

    /// Adds a count.
    pub fn count(&mut self, name: &'static str, value: u64) {
        self.values(name, Unit::Count, vec![value as f64]);
    }

    /// Adds a duration in milliseconds.
    pub fn milliseconds(&mut self, name: &'static str, value: f64) {
        self.values(name, Unit::Milliseconds, vec![value]);
    }

    /// Adds a percentage, from 0 to 100.
    pub fn percent(&mut self, name: &'static str, value: f64) {
        self.values(name, Unit::Percent, vec![value]);
    }

    /// Adds several values of one metric. Adds nothing if there is no value.
    pub fn values(&mut self, name: &'static str, unit: Unit, mut values: Vec<f64>) {
        let value = match values.len() {
            0 => return,
            1 => json!(values.remove(0)),
            _ => json!(values),
        };
        self.metrics.push((name, unit));
        self.fields.insert(name.to_owned(), value);
    }

    /// Adds a property that helps when searching the log but is not a metric.
    pub fn property(&mut self, name: &'static str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// The line, without a newline.
    pub fn line(&self) -> String {
        let metrics: Vec<Value> = self
            .metrics
            .iter()
            .map(|(name, unit)| json!({ "Name": name, "Unit": unit.name() }))
            .collect();
        let mut line = self.fields.clone();
        let directive = json!({
            "Timestamp": self.timestamp_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Stage", "Function"], ["Stage"]],
                "Metrics": metrics,
            }],
        });
        line.insert("_aws".to_owned(), directive);
        Value::Object(line).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_each_metric_it_has_once_with_its_unit() {
        let config = MetricsConfig {
            is_on: true,
            stage: "prod".to_owned(),
            function: "trawl-jobs".to_owned(),
            ..MetricsConfig::default()
        };
        let mut event = Event::new(&config, 1_800_000_000_000);
        event.count("Requests", 1);
        event.values("RedisLatency", Unit::Milliseconds, vec![1.5, 2.0]);
        event.values("Nothing", Unit::Count, Vec::new());
        event.property("route", "GET /api/jobs");
        let line: Value = serde_json::from_str(&event.line()).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Trawl");
        assert_eq!(
            directive["Metrics"],
            json!([
                { "Name": "Requests", "Unit": "Count" },
                { "Name": "RedisLatency", "Unit": "Milliseconds" },
            ])
        );
        for dimension in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[dimension.as_str().unwrap()].is_string());
        }
        assert_eq!(line["RedisLatency"], json!([1.5, 2.0]));
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_i64);
    }
}
