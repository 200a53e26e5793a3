#!/usr/bin/env python3
"""Prints a SAM template that uses the functions built by cargo-lambda.

    built.py template.yaml target/lambda/x86-64

As `sam build` writes one, without building again.
"""

import os
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse


def main():
    path, folder = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource.pop("Metadata")["BuildProperties"]["Binary"]
            resource["Properties"]["CodeUri"] = os.path.abspath(os.path.join(folder, binary))
    print(yaml_dump(template))


if __name__ == "__main__":
    main()
