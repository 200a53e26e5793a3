#!/usr/bin/env python3
"""Compares the permissions in the expanded template with those that each role needs.

    permissions.py expanded.template.json

SAM adds roles and statements that the template itself does not show. Every role must be
listed here, and must have exactly the permissions listed for it.
"""

import json
import sys

# Every function may write to its own log group.
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

ACCOUNT = "${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:"
PARAMETER = "arn:" + ACCOUNT % "ssm" + "parameter${%sParameter}"
FUNCTION = "arn:" + ACCOUNT % "lambda" + "function:${AWS::StackName}-%s"
ALARM = "arn:" + ACCOUNT % "cloudwatch" + "alarm:${AWS::StackName}-%s"

ROUTES = {
    "Enqueue": "enqueue",
    "Jobs": "jobs",
    "ScanStream": "scan-stream",
    "ScansCurrent": "scans-current",
    "ScanStatuses": "scan-statuses",
    "Clips": "clips",
    "Health": "health",
    "Sessions": "sessions",
    "Uploads": "uploads",
    "Guilds": "guilds",
    "Admin": "admin",
}


def reading(*parameters):
    return {("ssm:GetParameters", PARAMETER % parameter) for parameter in parameters}


def expected():
    """Each role's grants as (action, resource)."""
    wakes = {("lambda:InvokeFunction", FUNCTION % "drain")}
    reports = {("sqs:SendMessage", "UndeliveredQueue.Arn")}
    roles = {f"{name}FunctionRole": reading("UpstashToken", "ApiKey", "AdminKey") for name in ROUTES}
    roles["EnqueueFunctionRole"] |= wakes
    roles["UploadsFunctionRole"] |= wakes
    roles["ClipsFunctionRole"] |= reading("DiscordToken", "CacheToken") | wakes
    roles["GuildsFunctionRole"] |= reading("DiscordToken", "CacheToken")
    roles["DrainFunctionRole"] = reading("UpstashToken", "DiscordToken") | wakes | reports
    starts = {("lambda:InvokeFunction", "DrainFunction.Arn")}
    roles["DrainFunctionEveryMinuteRole"] = starts | reports
    shifts = ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
    roles["DeploymentRole"] = {
        (action, FUNCTION % name + alias)
        for action in shifts
        for name in ROUTES.values()
        for alias in ("", ":live")
    } | {("cloudwatch:DescribeAlarms", ALARM % name) for name in ("deployment", "route-errors")}
    return roles


def many(value):
    return value if isinstance(value, list) else [value]


def under_any_condition(items):
    """The possible values of a property: both branches of `Fn::If`, without NoValue."""
    for item in many(items):
        if isinstance(item, dict) and "Fn::If" in item:
            yield from under_any_condition(item["Fn::If"][1:])
        elif item != {"Ref": "AWS::NoValue"}:
            yield item


def name_of(resource):
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return resource["Fn::Sub"]


def granted(role):
    for policy in under_any_condition(role.get("Policies", [])):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow" or set(statement) & {"NotAction", "NotResource"}:
                raise SystemExit(f"a statement is not understood: {statement}")
            for action in many(statement["Action"]):
                for resource in under_any_condition(statement["Resource"]):
                    yield action, name_of(resource)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        resources = json.load(file)["Resources"]
    roles = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::IAM::Role"}
    policies = [n for n, r in resources.items() if r["Type"].startswith("AWS::IAM::") and n not in roles]
    wrong = [f"{name} grants something beside the roles" for name in policies]
    known = expected()
    wrong += [f"{name} is not there" for name in known.keys() - roles.keys()]
    for name, role in roles.items():
        if name not in known:
            wrong.append(f"{name} is not known")
            continue
        managed = set(role.get("ManagedPolicyArns", []))
        wrong += [f"{name} has {policy}" for policy in managed - {BASIC}]
        grants = set(granted(role))
        wrong += [f"{name} may {a} on {r}, and need not" for a, r in sorted(grants - known[name])]
        wrong += [f"{name} may not {a} on {r}" for a, r in sorted(known[name] - grants)]
    if wrong:
        sys.exit("\n".join(wrong))
    n_grants = sum(len(grants) for grants in known.values())
    print(f"{len(roles)} roles have exactly the {n_grants} grants they need")


if __name__ == "__main__":
    main()
