# Background processes. Each starts in its own process group and is stopped with all its
# children.

declare -A process_ids=()
process_logs="$CARGO_TARGET_DIR/ci/logs"
mkdir -p "$process_logs"

# start NAME COMMAND...: starts a process with its output in a file.
start() {
    local name=$1
    shift
    setsid "$@" > "$process_logs/$name.log" 2>&1 < /dev/null &
    process_ids[$name]=$!
}

is_running() {
    kill -0 "${process_ids[$1]}" 2> /dev/null
}

# stop NAME [SIGNAL]: stops a process and returns its exit status.
stop() {
    local name=$1 signal=${2:-TERM} id status=0
    id=${process_ids[$name]:-}
    [[ -n $id ]] || return 0
    kill -s "$signal" -- "-$id" 2> /dev/null || true
    for ((i = 0; i < 150; i++)); do
        kill -0 "$id" 2> /dev/null || break
        sleep 0.1
    done
    kill -s KILL -- "-$id" 2> /dev/null || true
    wait "$id" 2> /dev/null || status=$?
    unset "process_ids[$name]"
    return "$status"
}

stop_processes() {
    local name
    for name in "${!process_ids[@]}"; do
        stop "$name" || true
    done
}

show_process_logs() {
    local name
    for name in "${!process_ids[@]}"; do
        printf -- '-- the last lines of %s\n' "$name"
        tail -n 30 "$process_logs/$name.log" || true
    done
}

# wait_until NAME SECONDS COMMAND...: waits until the command succeeds, while NAME is
# running.
wait_until() {
    local name=$1 seconds=$2 until
    shift 2
    until=$((SECONDS + seconds))
    until "$@" > /dev/null 2>&1; do
        is_running "$name" || fail "$name ended before it was ready"
        ((SECONDS < until)) || fail "$name was not ready in $seconds s"
        sleep 0.2
    done
}

# listens PORT [ADDRESS]: whether a process on this machine listens there.
listens() {
    (exec 3<> "/dev/tcp/${2:-127.0.0.1}/$1") 2> /dev/null
}

# If another process listens on the port, it would be tested instead of ours.
require_free() {
    local port
    for port in "$@"; do
        ! listens "$port" || fail "port $port is taken: stop what listens there, or see .ci/run for another"
    done
}
