//! Compares alarms and the dashboard with the metrics that exist and with the
//! documentation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::root;
use super::template::template;

fn alarms() -> BTreeMap<String, Value> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap();
    let alarms = resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm");
    alarms
        .map(|(name, resource)| (name.clone(), resource["Properties"].clone()))
        .collect()
}

/// Trawl's own metrics that an alarm uses.
fn ours(alarm: &Value) -> Vec<&str> {
    let several = alarm["Metrics"].as_array().into_iter().flatten();
    let metrics = several
        .map(|metric| &metric["MetricStat"]["Metric"])
        .chain([alarm]);
    metrics
        .filter(|metric| metric["Namespace"] == "Trawl")
        .map(|metric| metric["MetricName"].as_str().unwrap())
        .collect()
}

fn written() -> BTreeSet<String> {
    let sources = [
        "shared/src/services/metrics/mod.rs",
        "shared/src/web/http/app.rs",
        "functions/drain/src/lib.rs",
    ];
    let text = sources.map(|file| std::fs::read_to_string(root(file)).unwrap());
    let calls = [
        "event.count(\"",
        "event.milliseconds(\"",
        "event.percent(\"",
    ];
    let more = ["event.values(\"", "metrics.note(\""];
    let calls = calls.iter().chain(&more);
    let named = calls.flat_map(|call| text.iter().flat_map(move |text| text.split(call).skip(1)));
    named
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn alarms_and_the_dashboard_use_metrics_that_exist() {
    let written = written();
    let mut seen = BTreeSet::new();
    for (name, alarm) in alarms() {
        for metric in ours(&alarm) {
            assert!(written.contains(metric), "{name}: nothing writes {metric}");
            seen.insert(metric.to_owned());
        }
    }
    let template = template();
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Sub"];
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let metric = metric[1].as_str().unwrap();
            assert!(
                written.contains(metric),
                "the dashboard: nothing writes {metric}"
            );
            seen.insert(metric.to_owned());
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
}

#[test]
fn each_alarm_notifies_handles_missing_data_and_is_documented() {
    let handbook = std::fs::read_to_string(root("docs/OPERATIONS.md")).unwrap();
    let alarms = alarms();
    assert!(alarms.len() >= 13, "{alarms:?}");
    for (name, alarm) in alarms {
        assert!(alarm["TreatMissingData"].is_string(), "{name}");
        // Only deployments use this alarm.
        let is_sent = alarm["AlarmActions"]["If"].is_array();
        assert_eq!(is_sent, name != "DeploymentAlarm", "{name}");
        let suffix = alarm["AlarmName"]["Sub"].as_str().unwrap();
        let suffix = suffix.strip_prefix("${AWS::StackName}-").unwrap();
        assert!(handbook.contains(&format!("| `{suffix}` |")), "{suffix}");
    }
}
