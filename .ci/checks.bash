# Steps that check the code and what is built from it.

FUNCTIONS=(functions/*)
FUNCTIONS=("${FUNCTIONS[@]#functions/}")
venv="$CARGO_TARGET_DIR/ci/venv"
lint="$CARGO_TARGET_DIR/ci/lint"

step_fmt() {
    cargo fmt --all --check
}

step_clippy() {
    cargo clippy --workspace --all-targets --locked -- -D warnings
    # Finds broken links. The tests run the examples.
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

# Compares what is found in video files of many kinds with what ffprobe says, and looks inside
# many damaged files.
step_media() {
    install_package ffmpeg ffmpeg
    cargo build --workspace --locked
    .ci/media.py check "$CARGO_TARGET_DIR/ci/media" "$CARGO_TARGET_DIR/debug/look"
    local seed=$RANDOM
    echo "seed $seed"
    "$CARGO_TARGET_DIR/debug/look" --damaged "${CI_DAMAGED_FILES:-40000}" --seed "$seed" \
        tests/fixtures/media/*
    MUTATIONS=${CI_DAMAGED_FILES:-40000} MUTATIONS_SEED=$seed \
        cargo test --locked -p integration --test it -- discord::damage
}

# Starts a real Redis. Compares the embedded engine with it, and runs the endpoint's cases and
# the queue's tests against an endpoint in front of it. Each test takes its own database.
step_redis() {
    local port=${CI_REDIS_PORT:-6399}
    install_package redis-server redis-server
    require_free "$port"
    start redis redis-server --port "$port" --bind 127.0.0.1 --databases 4096 \
        --save '' --appendonly no
    wait_until redis 20 listens "$port"
    redis-server --version
    # Without --package, Cargo reuses what the tests have compiled.
    REDIS=127.0.0.1:$port cargo run --locked --example record -- \
        random "${CI_RANDOM_COMMANDS:-20000}"
    cargo run --locked --example conformance -- --target "redis://127.0.0.1:$port"
    TRAWL_TEST_REDIS=redis://127.0.0.1:$port/16 cargo test --workspace --locked --test it -- \
        queue:: redis::
    stop redis
}

# Runs the queue's proofs for longer, each from a new seed that it prints.
step_queue() {
    local seed=$RANDOM
    cargo run --locked --bin simulate -- --steps "${CI_SIMULATED_STEPS:-50000}" --seed "$seed"
    cargo run --locked --bin simulate -- --mistakes 1
    cargo run --locked --bin crowd -- --seconds "${CI_CROWD_SECONDS:-20}" --seed "$seed"
    FAULT_PAIRS=200 FAULT_SEED=$seed cargo test --workspace --locked --test it two_faults
}

# Checks that nothing is lost under load and that the comparison with BullMQ still runs. There
# are too few jobs for numbers worth publishing.
step_load() {
    install_package redis-server redis-server
    install_package node nodejs
    install_package npm npm
    cargo run --locked --bin dev -- load-test --jobs 5000 \
        --bullmq --bullmq-jobs 2000 --rounds 1
}

# Compares the limits and locks with the service's own npm packages, which are installed into
# the target folder.
step_beside() {
    install_package node nodejs
    install_package npm npm
    local folder=$CARGO_TARGET_DIR/ci/side-by-side
    mkdir -p "$folder"
    cp local/dev/side-by-side/* "$folder"
    # Not `npm ci`, which refuses a lock file without the optional packages of other systems.
    (cd "$folder" && npm install --no-save --ignore-scripts --no-audit --no-fund)
    cargo run --locked --example side-by-side -- "$folder"
}

# Checks that calls to AWS are signed as botocore signs them, and tries them against moto.
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

# Both tools share one environment, because cargo-lambda runs zig with the first python3 in
# PATH, also when SAM calls it.
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
    # Only the expanded template contains the roles and permissions that SAM generates.
    local expanded=$CARGO_TARGET_DIR/ci/expanded.template.json
    "$venv/bin/python" .ci/expand.py template.yaml > "$expanded"
    # In the first template, SAM's own resources hide circular references.
    cfn-lint --template "$expanded"
    .ci/permissions.py "$expanded"
    "$lint/bin/checkov" --config-file .checkov.yaml --file template.yaml "$expanded"
}

# Builds for arm64 with SAM, as people deploy, and for x86-64 with cargo-lambda. Both run at
# the same time, because linking a binary keeps only one core busy.
step_build() {
    use_tools
    local target
    for target in aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu; do
        rustup target list --installed | grep -qx "$target" || rustup target add "$target"
    done
    # In its own folder, because Cargo runs one build per folder at a time.
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
    # Runs the deployed binaries as Lambda does. The tests otherwise use unoptimised ones.
    [[ $(uname -m) != x86_64 ]] || FUNCTIONS_DIR=$CARGO_TARGET_DIR/lambda/x86-64 \
        cargo test --workspace --locked --test it lambda:: -- --skip a_panic_fails_one
}

# Packages one by one, so that none is given the features another asks for.
build_for() {
    local function
    for function in "${FUNCTIONS[@]}"; do
        cargo lambda build --release --locked "--$1" --package "$function" \
            --lambda-dir "$CARGO_TARGET_DIR/lambda/$1"
    done
}

# Prints the size of a binary, and roughly that of the upload. A cold start has to fetch it, so
# growth must not go unnoticed.
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

# Separate from the tools, because checkov pins other versions of packages that SAM needs.
use_lint() {
    install_python "$lint" checkov==3.3.30 'cyclonedx-python-lib[json-validation]==7.6.2'
}

# install_python FOLDER PACKAGE...: creates a Python environment, once for these versions.
install_python() {
    local folder=$1
    shift
    [[ $(cat "$folder/complete" 2> /dev/null) != "$*" ]] || return 0
    # Debian packages the module that creates environments separately.
    python3 -c 'import ensurepip' 2> /dev/null || {
        apt_get update -q
        apt_get install -y -q python3-venv
    }
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" > "$folder/complete"
}

# install_package COMMAND PACKAGE: installs the package unless the command exists.
install_package() {
    command -v "$1" > /dev/null && return
    apt_get update -q
    apt_get install -y -q --no-install-recommends "$2"
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get "$@" > "$CARGO_TARGET_DIR/ci/apt.log" 2>&1 \
        || fail "apt-get $1 failed: $(tail -n 5 "$CARGO_TARGET_DIR/ci/apt.log")"
}
