#!/usr/bin/env bash
# Runs chatctl as the event asks. A preview is a stack of its own, named after the pull request.
set -euo pipefail

stack=()
if [ -n "$STACK" ]; then
  stack=(--stack "$STACK")
fi

preview() {
  case "$PULL_REQUEST" in
    '' | *[!0-9]*)
      echo "the pull request has no number: '$PULL_REQUEST'" >&2
      exit 2
      ;;
  esac
  echo "${STACK:-chat}-pr-$PULL_REQUEST"
}

# Prints what a command prints, also on the run's page.
shown() {
  echo '```' >> "$GITHUB_STEP_SUMMARY"
  local code=0
  "$@" | tee -a "$GITHUB_STEP_SUMMARY" || code=$?
  echo '```' >> "$GITHUB_STEP_SUMMARY"
  return "$code"
}

case "$EVENT/$EVENT_ACTION" in
  pull_request/closed)
    if [ "$PREVIEWS" = true ]; then
      name=$(preview)
      chatctl teardown --yes --stack "$name"
    fi
    ;;
  pull_request/*)
    shown chatctl diff "${stack[@]+"${stack[@]}"}"
    if [ "$PREVIEWS" = true ]; then
      name=$(preview)
      shown chatctl deploy --yes --stack "$name"
    fi
    ;;
  push/* | workflow_dispatch/* | schedule/*)
    shown chatctl deploy --yes "${stack[@]+"${stack[@]}"}"
    ;;
  *)
    echo "this action deploys on push, schedule, workflow_dispatch and pull_request, not on $EVENT" >&2
    exit 2
    ;;
esac
