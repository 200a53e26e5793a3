//! Secrets in the template: values in development, parameter names in production.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::template::{deployed, settings, statements, template};

/// Settings that are secrets, with the template parameter for each.
const SECRETS: [(&str, &str); 5] = [
    ("UPSTASH_REDIS_REST_TOKEN", "UpstashToken"),
    ("DISCORD_TOKEN", "DiscordToken"),
    ("TRAWL_API_KEY", "ApiKey"),
    ("TRAWL_ADMIN_KEY", "AdminKey"),
    ("CACHE_REDIS_REST_TOKEN", "CacheToken"),
];

/// The secrets that every deployment needs.
fn needed() -> impl Iterator<Item = &'static str> {
    let names = SECRETS.iter().map(|(_, parameter)| *parameter);
    names.filter(|name| *name != "CacheToken")
}

#[test]
fn a_function_may_read_the_parameters_it_is_named_and_no_others() {
    let prefix = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter";
    for (name, function) in deployed() {
        let settings = settings(&function);
        let named: BTreeSet<String> = SECRETS
            .iter()
            .filter(|(setting, _)| settings.contains(*setting))
            .map(|(_, parameter)| format!("{prefix}${{{parameter}Parameter}}"))
            .collect();
        let readable: Vec<Value> = statements(&function)
            .into_iter()
            .filter(|statement| statement["Action"].to_string().contains("ssm"))
            .collect();
        let [readable] = &readable[..] else {
            panic!("{name}: {readable:?}");
        };
        assert_eq!(readable["Action"], "ssm:GetParameters");
        let resources = readable["Resource"].as_array().unwrap().iter();
        let resources: BTreeSet<String> = resources
            // Only an existing resource can be named.
            .map(|resource| resource.pointer("/If/1").unwrap_or(resource))
            .map(|resource| resource["Sub"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(resources, named, "{name}");
    }
}

#[test]
fn a_secret_is_set_by_value_and_by_name_from_the_template_parameters() {
    for (name, function) in deployed() {
        let variables = &function["Properties"]["Environment"]["Variables"];
        for (setting, parameter) in SECRETS {
            if variables[setting].is_null() {
                continue;
            }
            assert_eq!(variables[setting], json!({ "Ref": parameter }), "{name}");
            let by_name = format!("{parameter}Parameter");
            let variable = format!("{setting}_PARAMETER");
            assert_eq!(variables[variable], json!({ "Ref": by_name }), "{name}");
        }
    }
    let template = template();
    for (_, parameter) in SECRETS {
        let (plain, named) = (parameter.to_owned(), format!("{parameter}Parameter"));
        assert_eq!(template["Parameters"][plain]["NoEcho"], true);
        assert_eq!(template["Parameters"][named]["NoEcho"], Value::Null);
    }
}

/// Whether CloudFormation accepts these parameters, with the defaults for the others.
fn is_accepted(given: &[(String, &str)]) -> bool {
    let template = template();
    let mut values: BTreeMap<String, String> = template["Parameters"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, what)| Some((name.clone(), what["Default"].as_str()?.to_owned())))
        .collect();
    values.extend(given.iter().map(|(k, v)| (k.clone(), (*v).to_owned())));
    let rules = template["Rules"].as_object().unwrap();
    rules.values().all(|rule| {
        let applies = rule.get("RuleCondition");
        let mut assertions = rule["Assertions"].as_array().unwrap().iter();
        !applies.is_none_or(|condition| holds(condition, &values))
            || assertions.all(|assertion| holds(&assertion["Assert"], &values))
    })
}

fn holds(condition: &Value, values: &BTreeMap<String, String>) -> bool {
    let (word, arguments) = condition.as_object().unwrap().iter().next().unwrap();
    let mut arguments = arguments.as_array().unwrap().iter();
    match word.as_str() {
        "And" => arguments.all(|argument| holds(argument, values)),
        "Or" => arguments.any(|argument| holds(argument, values)),
        "Not" => !holds(arguments.next().unwrap(), values),
        "Equals" => {
            let text = |argument: &Value| match argument["Ref"].as_str() {
                Some(name) => values[name].clone(),
                None => argument.as_str().unwrap().to_owned(),
            };
            text(arguments.next().unwrap()) == text(arguments.next().unwrap())
        }
        other => panic!("{other} is not known here"),
    }
}

fn plain() -> Vec<(String, &'static str)> {
    let values = [
        "a-token",
        "a-bot",
        "the-api-key-0123456789",
        "the-admin-key-0123456789",
    ];
    needed().map(str::to_owned).zip(values).collect()
}

fn named() -> Vec<(String, &'static str)> {
    let values = ["/t/token", "/t/bot", "/t/api-key", "/t/admin-key"];
    let names = needed().map(|parameter| format!("{parameter}Parameter"));
    let mut named: Vec<(String, &str)> = names.zip(values).collect();
    named.push(("AlarmTopic".to_owned(), "arn:aws:sns:us-east-1:1:alarms"));
    named.push(("CorsOrigins".to_owned(), "https://clips.example.org"));
    named
}

fn stage(stage: &'static str, secrets: Vec<(String, &'static str)>) -> Vec<(String, &'static str)> {
    let mut all = secrets;
    all.push(("Stage".to_owned(), stage));
    all
}

#[test]
fn production_takes_names_of_parameters_and_refuses_a_plain_secret() {
    assert!(is_accepted(&named()), "production is the default");
    assert!(is_accepted(&stage("prod", named())));
    assert!(!is_accepted(&plain()));
    assert!(!is_accepted(&[]));
    for place in 0..needed().count() {
        let mut one_plain = stage("prod", named());
        one_plain.push(plain().swap_remove(place));
        assert!(!is_accepted(&one_plain));
        let mut one_missing = stage("prod", named());
        one_missing.remove(place);
        assert!(!is_accepted(&one_missing));
    }
    let mut same = stage("prod", named());
    same[3].1 = same[2].1;
    assert!(!is_accepted(&same));
}

#[test]
fn development_accepts_only_plain_secrets() {
    assert!(is_accepted(&stage("dev", plain())));
    assert!(!is_accepted(&stage("dev", named())));
    for place in 0..needed().count() {
        let mut one_missing = stage("dev", plain());
        one_missing.remove(place);
        assert!(!is_accepted(&one_missing));
    }
    let mut same = stage("dev", plain());
    same[3].1 = same[2].1;
    assert!(!is_accepted(&same));
}

#[test]
fn production_requires_an_alarm_topic() {
    let mut unheard = stage("prod", named());
    unheard.retain(|(name, _)| name != "AlarmTopic");
    assert!(!is_accepted(&unheard));
    assert!(is_accepted(&stage("dev", plain())), "nobody has to in dev");
}

#[test]
fn production_requires_its_own_cors_origins() {
    let mut usual = stage("prod", named());
    usual.retain(|(name, _)| name != "CorsOrigins");
    assert!(!is_accepted(&usual), "anybody serves pages on localhost");
}

#[test]
fn a_cache_of_its_own_has_an_address_and_a_token() {
    let url = ("CacheUrl".to_owned(), "https://cache.example");
    for (stage_name, secrets, token) in [
        ("prod", named(), "CacheTokenParameter"),
        ("dev", plain(), "CacheToken"),
    ] {
        let token = (token.to_owned(), "/t/cache");
        let with = |more: &[&(String, &'static str)]| {
            let mut all = stage(stage_name, secrets.clone());
            all.extend(more.iter().map(|pair| (*pair).clone()));
            is_accepted(&all)
        };
        assert!(with(&[&url, &token]), "{stage_name}");
        assert!(!with(&[&url]) && !with(&[&token]), "{stage_name}");
    }
}
