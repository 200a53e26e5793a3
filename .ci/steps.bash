# Running steps: a heading, the duration, a table at the end.

finished_steps=()
step_notes=""
n_notes=0
current_step=""
started=$SECONDS

run_step() {
    current_step=$1
    step_notes=""
    local began=$SECONDS
    printf '\n==== %s\n' "$1"
    "step_$1"
    finished_steps+=("$(printf '%-10s %4d s%s' "$1" $((SECONDS - began)) "$step_notes")")
    printf -- '---- %s took %d s\n' "$1" $((SECONDS - began))
    current_step=""
}

# note TEXT: what the step could not do here, said where it happens and in the table.
note() {
    printf '\n!!!! %s: %s\n\n' "$current_step" "$1" >&2
    step_notes+="   $1"
    n_notes=$((n_notes + 1))
}

report_steps() {
    printf '\n==== all passed in %d s' $((SECONDS - started))
    ((n_notes == 0)) || printf ', but %d could not be done in full' "$n_notes"
    printf '\n'
    printf '%s\n' "${finished_steps[@]}"
}

# What to do at the end, however it comes.
at_exit=()

# Says which step failed, with the ends of what its processes wrote, and leaves
# nothing running.
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
