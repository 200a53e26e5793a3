#!/usr/bin/env python3
"""Prints the bill of materials of a function's binary, as CycloneDX 1.6 JSON.

    .ci/sbom.py drain > drain.cdx.json
    .ci/sbom.py drain --target x86_64-unknown-linux-gnu

Asks `cargo tree` for one package: tools that read `cargo metadata` list for each function
what any member of the workspace makes its packages need. Build
scripts and tests are left out. The same lock file gives the same text.
"""

import argparse
import json
import re
import subprocess
import tomllib
import uuid

# Depth, name, version, what follows it (a path or "proc-macro"), licence, repository.
LINE = re.compile(r"(\d+)\|(\S+) v(\S+)(.*?)\|(.*?)\|(.*?)(?: \(\*\))?")


def tree(package, target):
    """The lines of `cargo tree`, depth first, as (depth, name, version, licence, repository)."""
    command = ["cargo", "tree", "--locked", "--package", package, "--target", target]
    command += ["--edges", "normal", "--prefix", "depth", "--format", "|{p}|{l}|{r}"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in text.splitlines():
        match = LINE.fullmatch(line)
        if not match:
            raise SystemExit(f"cargo tree wrote a line that is not understood: {line}")
        depth, name, version, _, licence, repository = match.groups()
        yield int(depth), name, version, licence, repository


def reference(name, version):
    return f"{name}@{version}"


def checksums(lock):
    """The digest of each registry package in the lock file."""
    with open(lock, "rb") as file:
        packages = tomllib.load(file)["package"]
    return {
        reference(package["name"], package["version"]): package.get("checksum")
        for package in packages
    }


def component(name, version, licence, repository, checksum):
    described = {
        "type": "library",
        "bom-ref": reference(name, version),
        "name": name,
        "version": version,
        # The old notation for alternatives, which is not a valid SPDX expression.
        "licenses": [{"expression": re.sub(r"\s*/\s*", " OR ", licence)}],
    }
    # Our own packages have none, because unrelated packages in the registry may share their names.
    if checksum:
        described["purl"] = f"pkg:cargo/{name}@{version}"
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if repository:
        described["externalReferences"] = [{"type": "vcs", "url": repository}]
    return described


def bill(package, target, digests):
    components, edges, above = {}, {}, []
    for depth, name, version, licence, repository in tree(package, target):
        key = reference(name, version)
        if not licence:
            raise SystemExit(f"{key} states no licence")
        components[key] = component(name, version, licence, repository, digests[key])
        edges.setdefault(key, set())
        if depth:
            edges[above[depth - 1]].add(key)
        above[depth:] = [key]
    root = components.pop(above[0])
    root["type"] = "application"
    content = {
        "metadata": {
            "component": root,
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": [components[key] for key in sorted(components)],
        "dependencies": [
            {"ref": key, "dependsOn": sorted(edges[key])} for key in sorted(edges)
        ],
    }
    name = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": name.urn,
        "version": 1,
        **content,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("function")
    parser.add_argument("--target", default="aarch64-unknown-linux-gnu")
    words = parser.parse_args()
    print(json.dumps(bill(words.function, words.target, checksums("Cargo.lock")), indent=2))


if __name__ == "__main__":
    main()
