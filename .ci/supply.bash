# Checks dependencies: licences and advisories, unused packages, and the bill of materials
# of each function.

crates="$CARGO_TARGET_DIR/ci/crates"

step_supply() {
    install_crate cargo-deny 0.20.2 --no-default-features
    install_crate cargo-machete 0.9.2
    use_lint
    [[ :$PATH: == *":$crates/bin:"* ]] || export PATH="$crates/bin:$PATH"

    cargo deny --workspace check --hide-inclusion-graph licenses bans sources
    # If the advisory database cannot be reached, that says nothing about the packages.
    if timeout 120 cargo deny fetch db > "$CARGO_TARGET_DIR/ci/advisories.log" 2>&1; then
        cargo deny --workspace check --hide-inclusion-graph advisories
    else
        cat "$CARGO_TARGET_DIR/ci/advisories.log"
        note "advisories not checked: their database cannot be reached"
    fi
    cargo machete
    make_bills
}

# Creates one bill of materials per function. Checks that each is valid and that no function
# links a service crate of the AWS SDK, each of which is larger than a function.
make_bills() {
    local folder=$CARGO_TARGET_DIR/ci/sbom function
    rm -rf "$folder"
    mkdir -p "$folder"
    for function in "${FUNCTIONS[@]}"; do
        .ci/sbom.py "$function" > "$folder/$function.cdx.json"
    done
    "$lint/bin/python" - "$folder"/*.cdx.json << 'PYTHON'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    text = open(path).read()
    mistake = validator.validate_str(text)
    if mistake:
        sys.exit(f"{path} is not valid CycloneDX 1.6: {mistake.data.message}")
    bill = json.loads(text)
    function = bill["metadata"]["component"]["name"]
    sdk = {c["name"] for c in bill["components"] if c["name"].startswith("aws-sdk-")}
    # Brought by aws-config, and left out by the linker: nothing calls it.
    sdk -= {"aws-sdk-sts"}
    if sdk:
        sys.exit(f"{function} links {', '.join(sorted(sdk))}")
    print(f"{function:14} {len(bill['components']):4} packages")
PYTHON
    echo "in $folder"
}

# install_crate NAME VERSION [WORD...]: builds without optimisation, which takes a third
# of the time and is fast enough.
install_crate() {
    local name=$1 version=$2
    shift 2
    ! grep -qsF "\"$name $version " "$crates/.crates.toml" || return 0
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$crates/build" cargo install --quiet \
        "$name" --version "$version" --locked --profile dev --root "$crates" "$@"
    rm -rf "$crates/build"
}
