# Runs the steps. Each prints a heading and its time, and a table follows at the end.

finished_steps=()
step_notes=""
n_notes=0
current_step=""
started=$SECONDS

run_step() {
    current_step=$1
    step_notes=""
    local began=$SECONDS spent
    processor_seconds
    spent=$processor_seconds
    printf '\n==== %s\n' "$1"
    "step_$1"
    processor_seconds
    spent=$((processor_seconds - spent))
    finished_steps+=("$(printf '%-10s %4d s %5d s%s' "$1" $((SECONDS - began)) "$spent" "$step_notes")")
    printf -- '---- %s took %d s, and %d s of processor time\n' "$1" $((SECONDS - began)) "$spent"
    current_step=""
}

# Sets processor_seconds to the processor time of all processes that this script has waited
# for. It does not print the number, because a subshell has other children.
processor_seconds() {
    times > "$CARGO_TARGET_DIR/ci/times"
    processor_seconds=$(awk 'NR == 2 {
        for (i = 1; i <= 2; i++) { split($i, part, /[ms]/); sum += part[1] * 60 + part[2] }
        printf "%d", sum
    }' "$CARGO_TARGET_DIR/ci/times")
}

# note TEXT: reports what the step could not do on this machine, at once and in the table.
note() {
    printf '\n!!!! %s: %s\n\n' "$current_step" "$1" >&2
    step_notes+="   $1"
    n_notes=$((n_notes + 1))
}

report_steps() {
    printf '\n==== all passed in %d s' $((SECONDS - started))
    ((n_notes == 0)) || printf ', but %d could not be done in full' "$n_notes"
    printf '\n%-10s %6s %7s\n' step time processor
    printf '%s\n' "${finished_steps[@]}"
    processor_seconds
    printf '%-10s %4d s %5d s of the %d min on two cores it may take\n' all \
        $((SECONDS - started)) "$processor_seconds" 90
}

# Actions to run at the end, also after a failure.
at_exit=()

# Names the step that failed, prints the last lines of its processes, and stops them.
finish() {
    local status=$?
    if ((status != 0)) && [[ -n $current_step ]]; then
        printf '\n==== %s failed with status %d\n' "$current_step" "$status" >&2
        show_process_logs >&2
    fi
    local action
    for action in "${at_exit[@]}"; do
        "$action" || true
    done
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
