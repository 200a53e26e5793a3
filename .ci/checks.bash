# Steps that start nothing of ours.

FUNCTIONS=(functions/*)
FUNCTIONS=("${FUNCTIONS[@]#functions/}")
venv="$CARGO_TARGET_DIR/ci/venv"
lint="$CARGO_TARGET_DIR/ci/lint"

step_fmt() {
    cargo fmt --all --check
}

step_clippy() {
    cargo clippy --workspace --all-targets --locked -- -D warnings
    # Links that lead nowhere. The examples are run by the tests.
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
}

step_test() {
    cargo test --workspace --locked
}

# AWS-LC spends up to half a second on its own randomness in the first TLS call of
# every environment; ring does not.
step_tls() {
    local found
    found=$(cargo tree --workspace --locked --target all --edges normal,build,dev \
        --invert aws-lc-sys 2> "$CARGO_TARGET_DIR/ci/tls.log" || true)
    [[ -z $found ]] || fail "something links AWS-LC:"$'\n'"$found"
    grep -qE 'did not match any packages|nothing to print' "$CARGO_TARGET_DIR/ci/tls.log" \
        || fail "cargo tree failed: $(cat "$CARGO_TARGET_DIR/ci/tls.log")"
    echo "nothing links AWS-LC"
}

# A Redis of our own: compared with the embedded engine, and behind the endpoint under
# its cases and the queue's tests, which take a database each.
step_redis() {
    local port=${CI_REDIS_PORT:-6399}
    install_package redis-server redis-server
    require_free "$port"
    start redis redis-server --port "$port" --bind 127.0.0.1 --databases 4096 \
        --save '' --appendonly no
    wait_until redis 20 listens "$port"
    redis-server --version
    # Without --package, what the tests compiled is used again.
    REDIS=127.0.0.1:$port cargo run --locked --example record -- \
        random "${CI_RANDOM_COMMANDS:-20000}"
    cargo run --locked --example conformance -- --target "redis://127.0.0.1:$port"
    TRAWL_TEST_REDIS=redis://127.0.0.1:$port/16 cargo test --workspace --locked --test it -- \
        queue:: redis::
    stop redis
}

# Longer runs of the proofs of the queue, each from a new seed, which they print.
step_queue() {
    local seed=$RANDOM
    cargo run --locked --bin simulate -- --steps "${CI_SIMULATED_STEPS:-50000}" --seed "$seed"
    cargo run --locked --bin simulate -- --mistakes 1
    cargo run --locked --bin crowd -- --seconds "${CI_CROWD_SECONDS:-20}" --seed "$seed"
    FAULT_PAIRS=200 FAULT_SEED=$seed cargo test --workspace --locked --test it two_faults
}

# Too few jobs for numbers to publish: that nothing is lost under load, and that the
# comparison with BullMQ still runs.
step_load() {
    install_package redis-server redis-server
    install_package node nodejs
    install_package npm npm
    cargo run --locked --bin dev -- load-test --jobs 5000 \
        --bullmq --bullmq-jobs 2000 --rounds 1
}

# The limits and locks beside the service's own packages, which are installed into the
# target folder.
step_beside() {
    install_package node nodejs
    install_package npm npm
    local folder=$CARGO_TARGET_DIR/ci/side-by-side
    mkdir -p "$folder"
    cp local/dev/side-by-side/* "$folder"
    # Not `ci`: it refuses a lock without the add-ons of other systems.
    (cd "$folder" && npm install --no-save --ignore-scripts --no-audit --no-fund)
    # Without --package, as above.
    cargo run --locked --example side-by-side -- "$folder"
}

# The calls to AWS services: signed as botocore signs them, and answered by moto.
step_aws() {
    local port=${CI_AWS_PORT:-3902} python=$CARGO_TARGET_DIR/ci/aws token=trawl-development-token
    install_python "$python" 'moto[server]==5.2.5' botocore==1.44.8
    "$python/bin/python" .ci/aws.py vectors | diff tests/fixtures/aws-signatures.json - \
        || fail "botocore signs otherwise: see .ci/aws.py"
    require_free "$port"
    cargo build --workspace --locked
    start upstash-local "$CARGO_TARGET_DIR/debug/upstash-local" --listen "127.0.0.1:$port" \
        --memory --token "$token"
    wait_until upstash-local 20 listens "$port"
    UPSTASH_REDIS_REST_URL=http://127.0.0.1:$port UPSTASH_REDIS_REST_TOKEN=$token \
        "$python/bin/python" .ci/aws.py calls "$CARGO_TARGET_DIR/debug/function"
    stop upstash-local
}

# One environment for both: cargo-lambda runs zig with the first python3 of PATH, also
# when SAM calls it.
step_tools() {
    install_python "$venv" cargo-lambda==1.9.2 aws-sam-cli==1.170.0 cfn-lint==1.58.0
    use_tools
    cargo lambda --version
    sam --version
    cfn-lint --version
}

step_template() {
    use_tools
    sam validate --lint --region us-east-1
    cfn-lint --template template.yaml
    use_lint
    # SAM's roles and permissions are in the expanded one only.
    local expanded=$CARGO_TARGET_DIR/ci/expanded.template.json
    "$venv/bin/python" .ci/expand.py template.yaml > "$expanded"
    # SAM's own resources hide circles of references from the first.
    cfn-lint --template "$expanded"
    .ci/permissions.py "$expanded"
    "$lint/bin/checkov" --config-file .checkov.yaml --file template.yaml "$expanded"
}

# The one by SAM, as people deploy it, the other by cargo-lambda. At the same time: the
# last and longest part of each binary keeps one core busy.
step_build() {
    use_tools
    local target
    for target in aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu; do
        rustup target list --installed | grep -qx "$target" || rustup target add "$target"
    done
    # In a folder of its own, for cargo lets one build at a time into each.
    start sam-build env "CARGO_TARGET_DIR=$CARGO_TARGET_DIR/sam" sam build \
        --build-dir "$CARGO_TARGET_DIR/ci/sam" --parameter-overrides Architecture=arm64
    build_for x86-64
    wait "${process_ids[sam-build]}" \
        || fail "sam build failed: $(tail -n 30 "$process_logs/sam-build.log")"
    unset 'process_ids[sam-build]'
    printf '\n%-14s %14s %14s %14s %14s\n' function 'arm64 bytes' gzip 'x86-64 bytes' gzip
    local function
    for function in "${FUNCTIONS[@]}"; do
        printf '%-14s' "$function"
        print_sizes "$CARGO_TARGET_DIR/sam/lambda/$function/bootstrap"
        print_sizes "$CARGO_TARGET_DIR/lambda/x86-64/$function/bootstrap"
        printf '\n'
    done
    # What is deployed, as Lambda runs it: the functions of the tests are not optimised.
    [[ $(uname -m) != x86_64 ]] || FUNCTIONS_DIR=$CARGO_TARGET_DIR/lambda/x86-64 \
        cargo test --workspace --locked --test it lambda:: -- --skip a_panic_is_one
}

# Packages one by one, so that none is given the features another asks for.
build_for() {
    local function
    for function in "${FUNCTIONS[@]}"; do
        cargo lambda build --release --locked "--$1" --package "$function" \
            --lambda-dir "$CARGO_TARGET_DIR/lambda/$1"
    done
}

# The size of a binary, and about that of what is uploaded. What a cold start fetches is
# not to grow without being noticed.
print_sizes() {
    local size packed
    size=$(stat -c %s "$1") packed=$(gzip -9 -c "$1" | wc -c)
    printf ' %14d %14d' "$size" "$packed"
    ((size < 6500000 && packed < 3000000)) || fail "$1 is larger than 6.5 MB, or 3 MB packed"
}

use_tools() {
    [[ -e $venv/complete ]] || step_tools
    [[ :$PATH: == *":$venv/bin:"* ]] || export PATH="$venv/bin:$PATH"
}

# Apart from the tools: checkov names the versions of much that SAM needs in others.
use_lint() {
    install_python "$lint" checkov==3.3.30 'cyclonedx-python-lib[json-validation]==7.6.2'
}

# install_python FOLDER PACKAGE...: an environment of its own, made once for these
# versions.
install_python() {
    local folder=$1
    shift
    [[ $(cat "$folder/complete" 2> /dev/null) != "$*" ]] || return 0
    # Debian has the module that fills an environment in a package of its own.
    python3 -c 'import ensurepip' 2> /dev/null || {
        apt_get update -q
        apt_get install -y -q python3-venv
    }
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" > "$folder/complete"
}

# install_package COMMAND PACKAGE: unless the command is there.
install_package() {
    command -v "$1" > /dev/null && return
    apt_get update -q
    apt_get install -y -q --no-install-recommends "$2"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get "$@" > "$CARGO_TARGET_DIR/ci/apt.log" 2>&1 \
        || fail "apt-get $1 failed: $(tail -n 5 "$CARGO_TARGET_DIR/ci/apt.log")"
}
