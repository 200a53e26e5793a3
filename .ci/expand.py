#!/usr/bin/env python3
"""Prints the CloudFormation template for a SAM template, as JSON.

    expand.py template.yaml

With the translator SAM itself uses, and the defaults of the parameters: the roles and
permissions it makes up are what is to be looked at.
"""

import json
import os
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """No managed policies: the template uses none, so none are fetched from an account."""

    def load(self):
        return {}


def main():
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with open(sys.argv[1], encoding="utf-8") as file:
        template = yaml_parse(file.read())
    # `sam package` would insert the location of the uploaded code here.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    parameters = template["Parameters"].items()
    values = {name: parameter.get("Default", "given") for name, parameter in parameters}
    print(json.dumps(transform(template, values, NoManagedPolicies()), indent=2))


if __name__ == "__main__":
    main()
