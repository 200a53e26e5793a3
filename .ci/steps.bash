# Running steps: a heading, the duration, a table at the end.

finished_steps=()
current_step=""
started=$SECONDS

run_step() {
    current_step=$1
    local began=$SECONDS
    printf '\n==== %s\n' "$1"
    "step_$1"
    finished_steps+=("$(printf '%-10s %4d s' "$1" $((SECONDS - began)))")
    printf -- '---- %s took %d s\n' "$1" $((SECONDS - began))
    current_step=""
}

report_steps() {
    printf '\n==== all passed in %d s\n' $((SECONDS - started))
    printf '%s\n' "${finished_steps[@]}"
}

# Says which step failed, with the ends of what its processes wrote, and leaves
# nothing running.
finish() {
    local status=$?
    if ((status != 0)) && [[ -n $current_step ]]; then
        printf '\n==== %s failed with status %d\n' "$current_step" "$status" >&2
        show_process_logs >&2
    fi
    stop_processes
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Fails the step with a message.
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
