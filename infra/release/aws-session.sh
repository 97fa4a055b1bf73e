#!/usr/bin/env bash
# Become ROLE_ARN for the rest of a job, by the token that GitHub gives a job with `id-token: write`. No key is stored
# anywhere: what is exported ends with the session.
set -euo pipefail

token=$(curl --fail --silent --show-error --retry 3 \
  --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq --raw-output .value)
echo "::add-mask::$token"

read -r key secret session < <(aws sts assume-role-with-web-identity \
  --role-arn "$ROLE_ARN" --role-session-name "github-$GITHUB_RUN_ID" --web-identity-token "$token" \
  --duration-seconds 3600 --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
: "${session:?AWS gave no session}"
echo "::add-mask::$secret"
echo "::add-mask::$session"
{
  echo "AWS_ACCESS_KEY_ID=$key"
  echo "AWS_SECRET_ACCESS_KEY=$secret"
  echo "AWS_SESSION_TOKEN=$session"
} >> "$GITHUB_ENV"
